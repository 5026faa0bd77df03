import type { Rootfs } from '../../../core/rootfs.ts';
import { readFstab, sysctlLines } from '../systems/boot-settings.ts';
import type { DiskMutation } from './mutation.ts';

const FSTAB = '/etc/fstab';

/** A kernel parameter that is set to something else. */
export function parameterMutations(root: Rootfs, key: string): DiskMutation[] {
  const set = sysctlLines(root, key).at(-1);
  if (!set) return [];
  const value = set.value === '0' ? '1' : '0';
  return [
    {
      type: 'kernel-param',
      subject: key,
      change: `${set.value} to ${value}`,
      attribute: 'value',
      origin: 'named',
      apply(changes) {
        const lines = root.readText(set.path).split('\n');
        changes.rewrite(set.path, lines.with(set.line, `${key} = ${value}`).join('\n'));
      },
    },
  ];
}

/** A mount that fstab has as another filesystem, and one that it no longer has. */
export function mountMutations(root: Rootfs, target: string): DiskMutation[] {
  const entry = readFstab(root).find((e) => e.target === target);
  if (!entry) return [];
  const of = (
    change: string,
    attribute: string,
    edit: (line: string) => readonly string[],
  ): DiskMutation => ({
    type: 'mount',
    subject: target,
    change,
    attribute,
    origin: 'named',
    apply(changes) {
      const lines = root.readText(FSTAB).split('\n');
      changes.rewrite(
        FSTAB,
        lines.flatMap((line) => (isEntryOf(line, target) ? edit(line) : [line])).join('\n'),
      );
    },
  });
  const type = entry.type === 'tmpfs' ? 'ext4' : 'tmpfs';
  return [
    of(`${entry.type} to ${type}`, 'filesystem', (line) => [line.replace(entry.type, type)]),
    of('taken out of fstab', 'exists', () => []),
  ];
}

function isEntryOf(line: string, target: string): boolean {
  return !line.trim().startsWith('#') && line.trim().split(/\s+/)[1] === target;
}
