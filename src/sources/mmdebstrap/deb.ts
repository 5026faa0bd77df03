import { IngotError } from '../../core/error.ts';

/** How a member of a package is compressed, by the extension of its name. */
export type Compression = '.xz' | '.zst' | '.gz' | '';

/** A member of the package's ar archive: where it lies in the file. */
export interface DebMember {
  readonly compression: Compression;
  readonly start: number;
  readonly end: number;
}

export interface DebLayout {
  readonly control: DebMember;
  readonly data: DebMember;
}

/** Decompressors that take several streams one behind the other and answer their contents as one. */
export const DECOMPRESS: Record<Compression, string> = {
  '.xz': 'xz -dc',
  '.zst': 'zstd -dc',
  '.gz': 'gzip -dc',
  '': 'cat',
};

/**
 * Finds the members of a binary package (deb(5), version 2): an ar(5) archive of `debian-binary`,
 * `control.tar*` and `data.tar*`. `where` names it in errors.
 */
export function readDebLayout(file: Buffer, where: string): DebLayout {
  const fail = (what: string) => new IngotError('apt/bad-package', `${where} is no Debian package: ${what}`);
  if (file.toString('latin1', 0, 8) !== '!<arch>\n') throw fail('it does not begin as an ar archive');
  const members = new Map<string, DebMember>();
  for (let at = 8; at < file.length; ) {
    const header = file.toString('latin1', at, at + 60);
    const size = /^\d+ *$/.test(header.slice(48, 58)) ? Number(header.slice(48, 58)) : -1;
    if (header.length < 60 || !header.endsWith('`\n') || size < 0 || at + 60 + size > file.length) {
      throw fail(`member header at byte ${at} is damaged`);
    }
    const name = header.slice(0, 16).trim().replace(/\/$/, '');
    const match = /^(control|data)\.tar(\.xz|\.zst|\.gz)?$/.exec(name);
    if (match?.[1] && !members.has(match[1])) {
      members.set(match[1], {
        compression: (match[2] ?? '') as Compression,
        start: at + 60,
        end: at + 60 + size,
      });
    } else if (name.startsWith('data.tar')) {
      throw fail(`${name} is compressed in a way that is not known (xz, zst and gz are)`);
    }
    at += 60 + size + (size % 2);
  }
  const control = members.get('control');
  const data = members.get('data');
  if (!control || !data) throw fail(`it has no ${control ? 'data.tar' : 'control.tar'}`);
  return { control, data };
}
