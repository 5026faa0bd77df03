import type { Removed, SealOperation } from '../core/plugin.ts';
import { filterLines, rewrite } from './remove.ts';

export const hostname: SealOperation = {
  name: 'hostname',
  version: 1,
  doc: 'Sets the host name to `localhost`, which DHCP and cloud-init replace, and removes the line of 127.0.1.1 from /etc/hosts.',
  async offline(root) {
    const removed: Removed[] = root.exists('/etc/hostname')
      ? rewrite(root, '/etc/hostname', 'localhost\n')
      : [];
    removed.push(...filterLines(root, '/etc/hosts', (line) => !/^\s*127\.0\.1\.1\s/.test(line)));
    return removed;
  },
};
