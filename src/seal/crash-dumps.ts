import { removal } from './remove.ts';

export const crashDumps = removal(
  'crash-dumps',
  1,
  'Removes crash reports and core dumps: they hold memory of the build.',
  ['/var/crash/*', '/var/lib/systemd/coredump/*', '/var/lib/systemd/pstore/*', '/var/lib/apport/coredump/*'],
);
