import { contents } from './find.ts';
import { operation } from './operation.ts';

export const crashDumps = operation(
  'crash-dumps',
  1,
  'Removes crash reports and core dumps: they hold memory of the build.',
  (root) =>
    contents(root, [
      '/var/crash',
      '/var/lib/systemd/coredump',
      '/var/lib/systemd/pstore',
      '/var/lib/apport/coredump',
    ]),
);
