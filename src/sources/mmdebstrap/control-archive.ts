import { IngotError } from '../../core/error.ts';

/** A file of a package's control archive: `control`, `postinst`, `md5sums`, … */
export interface ControlFile {
  /** Permission bits. */
  readonly mode: number;
  readonly data: Buffer;
}

export type ControlFiles = ReadonlyMap<string, ControlFile>;

const BLOCK = 512;

/**
 * Splits concatenated control archives (each a tar, POSIX ustar or GNU, ended by zero blocks) into one map of
 * files per package. Only plain files directly in the archive are taken; that is all that deb(5) knows there.
 */
export function splitControlArchives(bytes: Buffer, names: readonly string[]): ControlFiles[] {
  const archives: Map<string, ControlFile>[] = [];
  let current: Map<string, ControlFile> | undefined;
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const header = bytes.subarray(at, at + BLOCK);
    at += BLOCK;
    if (header.every((byte) => byte === 0)) {
      current = undefined;
      continue;
    }
    if (!current) archives.push((current = new Map()));
    const size = octal(header, 124, 12);
    const fail = (what: string) => {
      const name = names[archives.length - 1] ?? 'a package';
      return new IngotError('apt/bad-package', `the control archive of ${name} is damaged: ${what}`);
    };
    if (size === undefined || at + size > bytes.length) throw fail('a size leads beyond its end');
    if (checksum(header) !== octal(header, 148, 8)) throw fail('a header has a wrong checksum');
    const type = header[156];
    const name = cString(header, 0, 100).replace(/^\.\//, '');
    if ((type === 0x30 || type === 0) && /^[A-Za-z0-9._-]+$/.test(name)) {
      current.set(name, {
        mode: (octal(header, 100, 8) ?? 0o644) & 0o777,
        data: bytes.subarray(at, at + size),
      });
    }
    at += Math.ceil(size / BLOCK) * BLOCK;
  }
  if (archives.length !== names.length || archives.some((archive) => !archive.has('control'))) {
    throw new IngotError(
      'apt/bad-package',
      `${archives.filter((archive) => archive.has('control')).length} control archives in ${names.length} packages`,
    );
  }
  return archives;
}

function octal(header: Buffer, start: number, length: number): number | undefined {
  const text = cString(header, start, length).trim();
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined;
}

function cString(header: Buffer, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? length : end);
}

/** Sum of the header's bytes with the checksum field taken as blanks (pax(1), "ustar Interchange Format"). */
function checksum(header: Buffer): number {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 0x20 : (header[i] ?? 0);
  return sum;
}
