import { contents } from './find.ts';
import { operation } from './operation.ts';

export const temporaryFiles = operation(
  'temporary-files',
  2,
  'Empties /tmp, /var/tmp and /run; /run/lock stays, which programs of a container expect.',
  (root) => [
    ...contents(root, ['/tmp', '/var/tmp', '/run']).filter((edit) => edit.path !== '/run/lock'),
    ...contents(root, ['/run/lock']),
  ],
);
