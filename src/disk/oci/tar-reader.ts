import { IngotError } from '../../core/error.ts';
import { isEndOfArchive, parsePax, type PaxRecord } from '../formats/pax.ts';
import { TAR_BLOCK } from '../formats/tar-header.ts';

/** A member of a tar archive. Names are as written: nothing here says that they are safe. */
export interface TarMember {
  readonly name: string;
  readonly linkName: string;
  /** The type flag: `0` file, `1` hard link, `2` link, `3` and `4` devices, `5` folder, `6` pipe. */
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content. */
  readonly size: number;
  /** Whole seconds since 1970. */
  readonly mtime: number;
  /** Extended attributes by name (`SCHILY.xattr.`, star(1)); values are bytes. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** Where the content begins in the archive. */
  readonly offset: number;
  /** The content; whatever is not read of it is passed over. May be asked once. */
  content(): AsyncIterable<Buffer>;
}

/** Extended headers hold names and attributes: the kernel takes 64 KiB of these in all (xattr(7)). */
const MAX_EXTENDED = 1024 * 1024;

/** Fields that an extended header sets for one member or for all that follow. */
type Overrides = Map<string, Buffer>;

/**
 * Reads a tar archive as it comes: POSIX ustar and PAX (pax(1)), and GNU's long names (GNU tar manual, "Basic Tar
 * Format"). Sparse members are refused, since writers of image layers make none. Throws `disk/bad-tar`.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarMember> {
  const bytes = new ByteSource(source);
  const global: Overrides = new Map();
  let own: Overrides = new Map();
  for (;;) {
    const header = await bytes.read(TAR_BLOCK);
    // Two blocks of zeros end an archive; that one is enough, and that none is there, is common.
    if (header.length === 0 || isEndOfArchive(header)) return;
    if (header.length < TAR_BLOCK) throw bad(bytes.position, 'it ends within a header');
    checkSum(header, bytes.position);
    const type = String.fromCharCode(header[156] ?? 0).replace('\0', '0');
    const stored = number(header, 124, 12, bytes.position);
    if (type === 'x' || type === 'g' || type === 'L' || type === 'K') {
      const data = await extended(bytes, stored);
      if (type === 'L') own.set('path', untilNul(data));
      else if (type === 'K') own.set('linkpath', untilNul(data));
      else
        for (const [key, value] of records(data, bytes.position))
          (type === 'g' ? global : own).set(key, value);
      continue;
    }
    const member = describe(header, type, new Map([...global, ...own]), bytes);
    own = new Map();
    if (!'01234567'.includes(type))
      throw bad(bytes.position, `"${member.name}" is of the unknown type "${type}"`);
    let left = member.size;
    let asked = false;
    yield {
      ...member,
      async *content() {
        if (asked) throw new Error('the content of a member can be read once');
        asked = true;
        while (left > 0) {
          const chunk = await bytes.some(left);
          left -= chunk.length;
          yield chunk;
        }
      },
    };
    while (left > 0) left -= (await bytes.some(left)).length;
    await bytes.skip(-member.size & (TAR_BLOCK - 1));
  }
}

function describe(
  header: Buffer,
  type: string,
  overrides: Overrides,
  bytes: ByteSource,
): Omit<TarMember, 'content'> {
  const at = bytes.position;
  const text = (key: string): string | undefined => overrides.get(key)?.toString('utf8');
  const decimal = (key: string): number | undefined => {
    const value = text(key);
    if (value === undefined) return undefined;
    if (!/^-?\d{1,15}(\.\d*)?$/.test(value)) throw bad(at, `${key} is "${value.slice(0, 40)}"`);
    return Math.floor(Number(value));
  };
  for (const key of overrides.keys())
    if (key.startsWith('GNU.sparse.')) throw bad(at, 'it holds a sparse file, which no layer should');
  const xattrs = new Map<string, Buffer>();
  for (const [key, value] of overrides)
    if (key.startsWith('SCHILY.xattr.')) xattrs.set(key.slice('SCHILY.xattr.'.length), value);
  const size = decimal('size') ?? number(header, 124, 12, at);
  if (size < 0) throw bad(at, `a size is ${size}`);
  return {
    name: text('path') ?? nameOf(header),
    linkName: text('linkpath') ?? field(header, 157, 100),
    type: type === '7' ? '0' : type,
    mode: number(header, 100, 8, at) & 0o7777,
    uid: decimal('uid') ?? number(header, 108, 8, at),
    gid: decimal('gid') ?? number(header, 116, 8, at),
    // Links have no content, whatever some writers say.
    size: type === '0' || type === '7' ? size : 0,
    mtime: decimal('mtime') ?? number(header, 136, 12, at),
    xattrs,
    offset: at,
  };
}

/** ustar splits long names in two; GNU's format has other things in that place. */
function nameOf(header: Buffer): string {
  const name = field(header, 0, 100);
  const isUstar = header.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isUstar ? field(header, 345, 155) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function field(header: Buffer, at: number, length: number): string {
  return untilNul(header.subarray(at, at + length)).toString('utf8');
}

function untilNul(data: Buffer): Buffer {
  const end = data.indexOf(0);
  return end < 0 ? data : data.subarray(0, end);
}

/** Octal digits, or base 256 where the first bit is set (GNU's and star's extension). */
function number(header: Buffer, at: number, length: number, position: number): number {
  const raw = header.subarray(at, at + length);
  if (((raw[0] ?? 0) & 0x80) !== 0) {
    const negative = ((raw[0] ?? 0) & 0x40) !== 0;
    let value = BigInt((raw[0] ?? 0) & 0x3f);
    for (const byte of raw.subarray(1)) value = (value << 8n) | BigInt(byte);
    if (negative) value -= 1n << BigInt(8 * length - 2);
    if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER))
      throw bad(position, 'a number is out of range');
    return Number(value);
  }
  const digits = raw
    .toString('latin1')
    .replace(/\0[\s\S]*$/, '')
    .trim();
  if (!/^[0-7]*$/.test(digits)) throw bad(position, `"${digits}" should be an octal number`);
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

function checkSum(header: Buffer, position: number): void {
  let sum = 0;
  for (const [i, byte] of header.entries()) sum += i >= 148 && i < 156 ? 32 : byte;
  if (sum !== number(header, 148, 8, position)) throw bad(position, 'a header has a wrong checksum');
}

function records(data: Buffer, position: number): PaxRecord[] {
  try {
    return parsePax(data);
  } catch (cause) {
    throw bad(position, (cause as Error).message, cause);
  }
}

async function extended(bytes: ByteSource, size: number): Promise<Buffer> {
  if (size > MAX_EXTENDED) throw bad(bytes.position, `an extended header has ${size} bytes`);
  const data = await bytes.read(size);
  if (data.length < size) throw bad(bytes.position, 'it ends within an extended header');
  await bytes.skip(-size & (TAR_BLOCK - 1));
  return data;
}

/** Bytes by count, from chunks as they come. */
class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes given out. */
  position = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** Exactly `count` bytes; fewer at the end only. */
  async read(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let missing = count;
    while (missing > 0 && (await this.#fill())) {
      const part = this.#take(missing);
      parts.push(part);
      missing -= part.length;
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  /** At least one byte and at most `count`. */
  async some(count: number): Promise<Buffer> {
    if (!(await this.#fill())) throw bad(this.position, 'it ends within a file');
    return this.#take(count);
  }

  async skip(count: number): Promise<void> {
    await this.read(count);
  }

  #take(count: number): Buffer {
    const part = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(part.length);
    this.position += part.length;
    return part;
  }

  async #fill(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done) return false;
      const { buffer, byteOffset, byteLength } = next.value;
      this.#rest = Buffer.from(buffer, byteOffset, byteLength);
    }
    return true;
  }
}

function bad(position: number, what: string, cause?: unknown): IngotError {
  return new IngotError('disk/bad-tar', `the archive cannot be read at byte ${position}: ${what}`, {
    hint: 'It is damaged, or was made by a program that writes no valid tar archive. Make or fetch it again.',
    ...(cause !== undefined && { cause }),
  });
}
