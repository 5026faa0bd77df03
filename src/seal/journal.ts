import { contents } from './find.ts';
import { operation } from './operation.ts';

export const journal = operation(
  'journal',
  1,
  'Removes the journal; its folder stays, so that it goes on being kept on disk.',
  (root) => contents(root, ['/var/log/journal', '/run/log/journal']),
);
