import { posix } from 'node:path';
import type { Rootfs, RootfsEntry } from '../core/rootfs.ts';
import type { Edit } from './edit.ts';
import { operation } from './operation.ts';

/** Login records: programs expect to find them, and do without when they don't (wtmp(5), lastlog(8)). */
const RECORDS = new Set(['wtmp', 'btmp', 'lastlog', 'faillog', 'wtmp.db', 'lastlog2.db']);

export const logs = operation(
  'logs',
  2,
  'Removes log files and keeps their folders. Login records, and logs that their program could not make anew, are emptied.',
  (root) =>
    [...root.walk('/var/log')].flatMap(({ path, stat }): Edit[] => {
      if (!stat.isFile() || path.startsWith('/var/log/journal/')) return [];
      if (!isKept(root, { path, stat })) return [{ action: 'remove', path }];
      return stat.size > 0 ? [{ action: 'empty', path }] : [];
    }),
);

/** Some daemon's own file in a folder that the daemon may not write to, such as nginx's in Debian, cannot come back. */
function isKept(root: Rootfs, { path, stat }: RootfsEntry): boolean {
  const folder = posix.dirname(path);
  if (folder === '/var/log' && RECORDS.has(posix.basename(path))) return true;
  return stat.uid !== 0 && root.lstat(folder)?.uid !== stat.uid;
}
