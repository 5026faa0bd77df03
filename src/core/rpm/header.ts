/** What is read of a package's header. */
export interface RpmHeader {
  readonly name: string;
  readonly version: string;
  readonly release: string;
  readonly epoch?: number;
  readonly architecture?: string;
  readonly licence?: string;
  readonly vendor?: string;
  readonly homepage?: string;
  readonly sourceRpm?: string;
  readonly files: readonly string[];
}

/** Tags (rpm.org, "Tags"). */
const TAG = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  vendor: 1011,
  licence: 1014,
  homepage: 1020,
  architecture: 1022,
  sourceRpm: 1044,
  directoryIndexes: 1116,
  baseNames: 1117,
  directoryNames: 1118,
} as const;
const INT32 = 4;
const ENTRY = 16;
const MAX_STRINGS = 1_000_000;

interface Entry {
  readonly type: number;
  readonly offset: number;
  readonly count: number;
}

/**
 * A header as rpm's database stores it: counts of entries and of bytes, the index, the data (rpm.org, "Package
 * format", header structure, without its magic). Undefined where it is damaged.
 */
export function readRpmHeader(blob: Uint8Array): RpmHeader | undefined {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  if (bytes.length < 8) return undefined;
  const count = bytes.readUInt32BE(0);
  const start = 8 + count * ENTRY;
  if (start + bytes.readUInt32BE(4) > bytes.length) return undefined;
  const entries = new Map<number, Entry>();
  for (let i = 0; i < count; i++) {
    const at = 8 + i * ENTRY;
    const entry = {
      type: bytes.readUInt32BE(at + 4),
      offset: start + bytes.readUInt32BE(at + 8),
      count: bytes.readUInt32BE(at + 12),
    };
    if (entry.offset <= bytes.length) entries.set(bytes.readUInt32BE(at), entry);
  }
  const text = (tag: number): string | undefined => strings(bytes, entries.get(tag))[0];
  const [name, version, release] = [text(TAG.name), text(TAG.version), text(TAG.release)];
  if (name === undefined || version === undefined || release === undefined) return undefined;
  const optional = {
    epoch: numbers(bytes, entries.get(TAG.epoch))[0],
    architecture: text(TAG.architecture),
    licence: text(TAG.licence),
    vendor: text(TAG.vendor),
    homepage: text(TAG.homepage),
    sourceRpm: text(TAG.sourceRpm),
  };
  const known = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  return { name, version, release, ...known, files: filesOf(bytes, entries) };
}

function filesOf(bytes: Buffer, entries: ReadonlyMap<number, Entry>): string[] {
  const folders = strings(bytes, entries.get(TAG.directoryNames));
  const indexes = numbers(bytes, entries.get(TAG.directoryIndexes));
  return strings(bytes, entries.get(TAG.baseNames)).map(
    (name, i) => `${folders[indexes[i] ?? 0] ?? '/'}${name}`,
  );
}

/** Strings end with NUL; one that is not ended is damage and left out. */
function strings(bytes: Buffer, entry: Entry | undefined): string[] {
  const found: string[] = [];
  let at = entry?.offset ?? 0;
  for (let i = 0; i < Math.min(entry?.count ?? 0, MAX_STRINGS); i++) {
    const end = bytes.indexOf(0, at);
    if (end < 0) break;
    found.push(bytes.toString('utf8', at, end));
    at = end + 1;
  }
  return found;
}

function numbers(bytes: Buffer, entry: Entry | undefined): number[] {
  if (entry?.type !== INT32 || entry.offset + 4 * entry.count > bytes.length) return [];
  return Array.from({ length: entry.count }, (_, i) => bytes.readUInt32BE(entry.offset + 4 * i));
}
