import { removal } from './remove.ts';

export const journal = removal(
  'journal',
  1,
  'Removes the journal; its folder stays, so that it goes on being kept on disk.',
  ['/var/log/journal/*', '/run/log/journal/*'],
);
