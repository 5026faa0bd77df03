import { inHomes, matches } from './find.ts';
import { operation } from './operation.ts';

const FILES = [
  '.bash_history',
  '.zsh_history',
  '.zhistory',
  '.histfile',
  '.ash_history',
  '.sh_history',
  '.python_history',
  '.node_repl_history',
  '.irb_history',
  '.php_history',
  '.mysql_history',
  '.psql_history',
  '.sqlite_history',
  '.rediscli_history',
  '.lesshst',
  '.local/state/lesshst',
  '.viminfo',
  '.wget-hsts',
  '.local/share/fish/fish_history',
  '.config/fish/fish_history',
  '.local/share/nano/search_history',
];

export const histories = operation(
  'histories',
  1,
  'Removes the histories of shells and other programs from every home; a history linked to /dev/null stays so.',
  (root) =>
    matches(root, inHomes(root, FILES)).filter(
      ({ path }) => !root.lstat(path)?.isSymbolicLink() || root.readLink(path) !== '/dev/null',
    ),
);
