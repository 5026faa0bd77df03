import type { Edit } from './edit.ts';
import { content } from './find.ts';
import { operation } from './operation.ts';

const PATH = '/etc/machine-id';
const DBUS = '/var/lib/dbus/machine-id';

export const machineId = operation(
  'machine-id',
  1,
  'Sets /etc/machine-id to `uninitialized`: each clone makes its own, and ConditionFirstBoot holds (machine-id(5)).',
  (root) => {
    const edits: Edit[] = [];
    const isLink = root.lstat(PATH)?.isSymbolicLink() ?? false;
    const hasSystemd = root.exists('/usr/lib/systemd/systemd') || root.exists('/lib/systemd/systemd');
    // PID 1 writes through no link, and a link would leave an id in some other place.
    if (isLink) edits.push({ action: 'remove', path: PATH });
    if (isLink || hasSystemd || root.lstat(PATH)) {
      if (isLink) edits.push({ action: 'write', path: PATH, data: 'uninitialized\n', mode: 0o444 });
      else edits.push(...content(root, PATH, 'uninitialized\n', 0o444));
    }
    if (root.lstat(DBUS)?.isFile()) edits.push({ action: 'link', path: DBUS, target: PATH });
    return edits;
  },
);
