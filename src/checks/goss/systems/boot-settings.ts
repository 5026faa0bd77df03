import type { Rootfs } from '../../../core/rootfs.ts';
import { textIfThere } from './accounts.ts';

const SYSCTL_FOLDERS = [
  '/etc/sysctl.d',
  '/run/sysctl.d',
  '/usr/local/lib/sysctl.d',
  '/usr/lib/sysctl.d',
  '/lib/sysctl.d',
];

/** A line of sysctl.d that sets a kernel parameter. */
export interface SysctlLine {
  readonly path: string;
  /** From 0 on. */
  readonly line: number;
  readonly value: string;
}

/** The value that sysctl.d(5) sets a kernel parameter to at boot; undefined where none of its files names it. */
export function sysctlSetting(root: Rootfs, key: string): string | undefined {
  const value = sysctlLines(root, key).at(-1)?.value;
  // The kernel tells several numbers with tabs between them, whatever is between them in the file.
  return value !== undefined && /^-?\d+(?:\s+-?\d+)+$/.test(value) ? value.replace(/\s+/g, '\t') : value;
}

/** The lines that set a parameter, of which the last counts. Of files with one name only the first folder's are read. */
export function sysctlLines(root: Rootfs, key: string): SysctlLine[] {
  const files = new Map<string, string>();
  for (const folder of SYSCTL_FOLDERS)
    for (const name of root.list(folder))
      if (name.endsWith('.conf') && !files.has(name)) files.set(name, `${folder}/${name}`);
  const wanted = normalized(key);
  return [...files]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, path]) =>
      textIfThere(root, path)
        .split('\n')
        .flatMap((text, line): SysctlLine[] => {
          const match = /^\s*-?\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(text);
          if (!match || normalized(match[1] as string) !== wanted) return [];
          return [{ path, line, value: match[2] as string }];
        }),
    );
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
