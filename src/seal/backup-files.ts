import { matches } from './find.ts';
import { operation } from './operation.ts';

/** What editors of people leave (`*~`, `*.bak`) stays: a template may have meant it. */
const PATTERNS = [
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
];

export const backupFiles = operation(
  'backup-files',
  1,
  'Removes backups of the account files (old password hashes) and of package databases, and caches with dates in them.',
  (root) => matches(root, PATTERNS),
);
