import { IngotError } from '../../core/error.ts';
import { ByteReader } from './byte-reader.ts';
import { isEndOfArchive, type PaxRecord, parsePax, paxMember } from './pax.ts';
import { TAR_BLOCK, tarHeader, tarPadding } from './tar-header.ts';

const OVERLAY = 'SCHILY.xattr.trusted.overlay.';
/** Most bytes of a member's extended header: attributes of a file are at most 64 KiB each. */
const MOST_PAX = 4 << 20;

/** A stretch of a layer's archive. */
export interface LayerChunk {
  readonly bytes: Buffer;
  /** It begins the member of that name, with a content of so many bytes. */
  readonly member?: { readonly name: string; readonly size: number };
}

/** What layerChunks makes, as bytes alone. */
export function layerTar(source: AsyncIterable<Buffer>, epoch: number): AsyncGenerator<Buffer> {
  return bytesOf(layerChunks(source, epoch));
}

export async function* bytesOf(chunks: AsyncIterable<LayerChunk>): AsyncGenerator<Buffer> {
  for await (const { bytes } of chunks) yield bytes;
}

/**
 * The archive of an overlayfs upper folder as an OCI layer (image-spec, layer.md, "Whiteouts"): deleted files, which
 * overlayfs keeps as devices 0:0, become `.wh.` files, replaced folders get `.wh..wh..opq`, overlayfs' own
 * attributes go. Archives of other folders pass as they are.
 */
export async function* layerChunks(source: AsyncIterable<Buffer>, epoch: number): AsyncGenerator<LayerChunk> {
  const reader = new ByteReader(source);
  try {
    let records: PaxRecord[] = [];
    for (;;) {
      const header = await reader.read(TAR_BLOCK);
      if (isEndOfArchive(header)) break;
      const type = String.fromCharCode(header[156] as number);
      const size = sizeOf(header, records);
      if (type === 'x') {
        if (size > MOST_PAX) throw unsupported(`a member's extended header is ${size} bytes long`);
        records = parsePax((await reader.read(size + tarPadding(size).length)).subarray(0, size));
        continue;
      }
      const name = nameOf(header, records);
      const slash = name.replace(/\/$/, '').lastIndexOf('/') + 1;
      if (name.startsWith('.wh.', slash)) {
        throw unsupported(`the file ${JSON.stringify(name)} has a name that means "deleted" in a layer`);
      }
      if (type === '3' && deviceOf(header) === 0) {
        yield { bytes: emptyFile(`${name.slice(0, slash)}.wh.${name.slice(slash)}`, epoch) };
      } else {
        const kept = records.filter(([key]) => !key.startsWith(OVERLAY));
        const pax = kept.length > 0 ? [paxMember('x', kept, epoch)] : [];
        yield { bytes: Buffer.concat([...pax, header]), member: { name, size } };
        for await (const bytes of reader.take(size + tarPadding(size).length)) yield { bytes };
        if (overlayMarks(name, records).has('opaque'))
          yield { bytes: emptyFile(`${name.replace(/\/?$/, '/')}.wh..wh..opq`, epoch) };
      }
      records = [];
    }
    await reader.drain();
    yield { bytes: Buffer.alloc(2 * TAR_BLOCK) };
  } finally {
    await reader.close();
  }
}

/** Names of overlayfs' attributes of a file; refuses those by which its content is elsewhere. */
function overlayMarks(name: string, records: readonly PaxRecord[]): Set<string> {
  const marks = new Set(
    records
      .map(([key]) => key)
      .filter((key) => key.startsWith(OVERLAY))
      .map((key) => key.slice(OVERLAY.length)),
  );
  for (const mark of ['redirect', 'metacopy']) {
    if (marks.has(mark))
      throw unsupported(`${JSON.stringify(name)} is only a reference into a lower layer (${mark})`);
  }
  return marks;
}

function emptyFile(name: string, mtime: number): Buffer {
  if (Buffer.byteLength(name) <= 100) return tarHeader({ name, size: 0, mtime });
  return Buffer.concat([
    paxMember('x', [['path', Buffer.from(name)]], mtime),
    tarHeader({ name: '.wh.long', size: 0, mtime }),
  ]);
}

function unsupported(what: string): IngotError {
  return new IngotError('output/unsupported-layer', `${what}, which an OCI layer cannot hold`, {
    hint: 'Rename or remove the file in a provisioner, or leave the oci output out.',
  });
}

function nameOf(header: Buffer, records: readonly PaxRecord[]): string {
  const long = records.findLast(([key]) => key === 'path');
  if (long) return long[1].toString();
  const prefix = text(header, 345, 155);
  return (prefix && `${prefix}/`) + text(header, 0, 100);
}

function sizeOf(header: Buffer, records: readonly PaxRecord[]): number {
  const long = records.findLast(([key]) => key === 'size');
  return long ? Number(long[1].toString()) : numberAt(header, 124, 12);
}

function deviceOf(header: Buffer): number {
  return numberAt(header, 329, 8) * 2 ** 32 + numberAt(header, 337, 8);
}

function numberAt(header: Buffer, at: number, length: number): number {
  if ((header[at] as number) & 0x80)
    return Number(header.readBigUInt64BE(at + length - 8) & (2n ** 53n - 1n));
  return Number.parseInt(text(header, at, length).trim() || '0', 8);
}

function text(header: Buffer, at: number, length: number): string {
  const end = header.subarray(at, at + length).indexOf(0);
  return header.toString('utf8', at, end < 0 ? at + length : at + end);
}
