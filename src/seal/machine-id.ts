import type { Removed, SealOperation } from '../core/plugin.ts';
import { rewrite } from './remove.ts';

export const machineId: SealOperation = {
  name: 'machine-id',
  version: 1,
  doc: 'Sets /etc/machine-id to `uninitialized`: each clone makes its own, and ConditionFirstBoot holds (machine-id(5)).',
  async offline(root) {
    const removed: Removed[] = [];
    if (root.exists('/usr/lib/systemd/systemd') || root.lstat('/etc/machine-id')) {
      if (root.lstat('/etc/machine-id')?.isSymbolicLink()) root.remove('/etc/machine-id');
      removed.push(...rewrite(root, '/etc/machine-id', 'uninitialized\n'));
      root.chmod('/etc/machine-id', 0o444);
    }
    const dbus = '/var/lib/dbus/machine-id';
    if (root.lstat(dbus)?.isFile()) {
      removed.push({ path: dbus, action: 'rewritten', ...root.remove(dbus) });
      root.symlink(dbus, '/etc/machine-id');
    }
    return removed;
  },
};
