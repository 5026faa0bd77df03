import type { SealOperation } from '../core/plugin.ts';
import { homes, removeMatches } from './remove.ts';

const FILES = [
  '.bash_history',
  '.zsh_history',
  '.ash_history',
  '.sh_history',
  '.python_history',
  '.lesshst',
  '.viminfo',
  '.wget-hsts',
  '.mysql_history',
  '.psql_history',
  '.node_repl_history',
];

export const histories: SealOperation = {
  name: 'histories',
  version: 1,
  doc: 'Removes the histories of shells and other programs from every home.',
  offline: async (root) =>
    removeMatches(
      root,
      homes(root).flatMap((home) => FILES.map((file) => `${home}/${file}`)),
    ),
};
