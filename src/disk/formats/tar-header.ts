/** Bytes in a block of a tar archive. */
export const TAR_BLOCK = 512;

export interface TarEntry {
  /** At most 100 bytes. */
  readonly name: string;
  /** Bytes that follow the header. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** `0` file, `g` and `x` PAX records, `S` GNU sparse file. */
  readonly type?: '0' | '5' | 'g' | 'x' | 'S';
  readonly mode?: number;
}

/**
 * A header of a file owned by root: POSIX ustar (pax(1), "ustar Interchange Format"), or GNU's older format ("oldgnu":
 * GNU tar manual, "Basic Tar Format"), whose rest beginning at byte 345 the caller may fill before `withChecksum`.
 */
export function tarHeader(entry: TarEntry, format: 'ustar' | 'oldgnu' = 'ustar'): Buffer {
  const header = Buffer.alloc(TAR_BLOCK);
  if (header.write(entry.name, 0, 101) > 100) throw new RangeError(`name too long for tar: ${entry.name}`);
  tarNumber(header, 100, 8, entry.mode ?? 0o644);
  tarNumber(header, 108, 8, 0);
  tarNumber(header, 116, 8, 0);
  tarNumber(header, 124, 12, entry.size);
  tarNumber(header, 136, 12, entry.mtime);
  header.write(entry.type ?? '0', 156, 'latin1');
  header.write(format === 'ustar' ? 'ustar\x0000' : 'ustar  \0', 257, 'latin1');
  header.write('root', 265, 'latin1');
  header.write('root', 297, 'latin1');
  return withChecksum(header);
}

/** Writes a number as octal digits, or, where they don't suffice, in base 256 (GNU's and star's extension). */
export function tarNumber(header: Buffer, at: number, length: number, value: number): void {
  if (value < 8 ** (length - 1)) {
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
    return;
  }
  header.fill(0, at, at + length);
  header.writeBigUInt64BE(BigInt(value), at + length - 8);
  header[at] = 0x80;
}

/** The header with its checksum set: the sum of its bytes, the checksum's own taken as blanks. */
export function withChecksum(header: Buffer): Buffer {
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** Zeros from the end of a member of `size` bytes to the next block. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc(-size & (TAR_BLOCK - 1));
}
