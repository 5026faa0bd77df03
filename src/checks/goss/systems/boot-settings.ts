import type { Rootfs } from '../../../core/rootfs.ts';
import { textIfThere } from './accounts.ts';

const SYSCTL_FOLDERS = [
  '/etc/sysctl.d',
  '/run/sysctl.d',
  '/usr/local/lib/sysctl.d',
  '/usr/lib/sysctl.d',
  '/lib/sysctl.d',
];

/**
 * The value that sysctl.d(5) sets a kernel parameter to at boot; undefined where none of its files names it. Of files with
 * one name the first folder's counts; of the settings the last.
 */
export function sysctlSetting(root: Rootfs, key: string): string | undefined {
  const files = new Map<string, string>();
  for (const folder of SYSCTL_FOLDERS)
    for (const name of root.list(folder))
      if (name.endsWith('.conf') && !files.has(name)) files.set(name, `${folder}/${name}`);
  const wanted = normalized(key);
  let value: string | undefined;
  for (const [, path] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const line of textIfThere(root, path).split('\n')) {
      const match = /^\s*-?\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line);
      if (match && normalized(match[1] as string) === wanted) value = match[2] as string;
    }
  }
  return value;
}

/** Parts may be parted by dots or slashes. */
function normalized(key: string): string {
  return key.replaceAll('/', '.').replace(/^\.?proc\.sys\./, '');
}

export interface FstabEntry {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** Entries of fstab(5). */
export function readFstab(root: Rootfs): FstabEntry[] {
  return textIfThere(root, '/etc/fstab')
    .split('\n')
    .flatMap((line): FstabEntry[] => {
      const [source = '', target = '', type = '', options = 'defaults'] = line.trim().split(/\s+/);
      if (source === '' || source.startsWith('#') || target === '') return [];
      return [{ source, target: unescaped(target), type, options: options.split(',') }];
    });
}

function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
}
