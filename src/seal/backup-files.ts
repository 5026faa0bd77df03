import { removal } from './remove.ts';

export const backupFiles = removal(
  'backup-files',
  1,
  'Removes backups of the account files and of package databases, and lock files of the former.',
  [
    '/etc/passwd-',
    '/etc/shadow-',
    '/etc/group-',
    '/etc/gshadow-',
    '/etc/subuid-',
    '/etc/subgid-',
    '/etc/.pwd.lock',
    '/var/backups/*',
    '/var/lib/dpkg/*-old',
    '/var/cache/ldconfig/aux-cache',
  ],
);
