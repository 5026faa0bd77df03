import type { Removed, SealOperation } from '../core/plugin.ts';
import { removeMatches } from './remove.ts';

/** Files that programs expect to find, empty: login records (wtmp(5), lastlog(8)). */
const KEPT = new Set(['wtmp', 'btmp', 'lastlog', 'faillog']);

export const logs: SealOperation = {
  name: 'logs',
  version: 1,
  doc: 'Removes log files and keeps their folders; login records are emptied.',
  async offline(root) {
    const removed: Removed[] = [];
    for (const { path, stat } of [...root.walk('/var/log')]) {
      if (!stat.isFile() || path.startsWith('/var/log/journal/')) continue;
      if (!KEPT.has(path.slice('/var/log/'.length))) {
        removed.push(...removeMatches(root, [path.replace(/[*?[]/g, '?')]));
      } else if (stat.size > 0) {
        root.write(path, '');
        removed.push({ path, action: 'emptied', files: 1, bytes: stat.size });
      }
    }
    return removed;
  },
};
