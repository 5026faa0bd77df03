import { FactError } from '../system.ts';
import { type GoValue, Strings } from '../values.ts';

/** What /proc/self/mountinfo (proc(5)) says of a mount point; of several mounts at one point the last counts. */
export function mountFact(mountinfo: string, target: string, attribute: string): GoValue {
  const entry = mountinfo
    .split('\n')
    .map((line) => line.split(' '))
    .findLast((fields) => unescaped(fields[4] ?? '') === target);
  if (attribute === 'exists') return entry !== undefined;
  if (!entry) throw new FactError('Mountpoint not found');
  // Optional fields end with a dash; type, source and the filesystem's own options follow.
  const [filesystem = '', source = '', own = ''] = entry.slice(entry.indexOf('-') + 1);
  switch (attribute) {
    case 'filesystem':
      return filesystem;
    case 'source':
      return unescaped(source);
    case 'vfs-opts':
      return new Strings(own.split(','));
    default:
      return new Strings((entry[5] ?? '').split(','));
  }
}

function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
}
