import type { FilePart } from './read-part.ts';
import { type ImagePackage, packageUrl } from './package.ts';

/** Where the linker puts its mark (Go source, debug/buildinfo): 14 bytes, at a multiple of 16. */
const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1');
const INLINE_STRINGS = 2;
const HEADER = 32;
/** The table of sections of a large program has some dozens. */
const MAX_SECTIONS = 4096;
const MAX_TEXT = 4 * 1024 * 1024;
/** Marks around the module text. */
const SENTINEL = 16;

export interface GoProgram {
  readonly goVersion: string;
  readonly modules: readonly ImagePackage[];
  /** Built by a Go before 1.18, whose build information lies elsewhere. */
  readonly tooOld?: boolean;
}

/** What a Go program says it was built from. Undefined for what is no ELF file or no Go program. */
export function readGoProgram(file: FilePart, path: string): GoProgram | undefined {
  const section = findSection(file, '.go.buildinfo');
  if (!section) return undefined;
  const info = file.read(section.offset, Math.min(section.size, MAX_TEXT));
  if (!info.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (((info[15] ?? 0) & INLINE_STRINGS) === 0) return { goVersion: '', modules: [], tooOld: true };
  const version = inlineString(info, HEADER);
  const text = version && inlineString(info, version.end);
  if (!version || !text) return undefined;
  const goVersion = version.value.toString('utf8');
  const modules = modulesOf(
    text.value.subarray(SENTINEL, Math.max(SENTINEL, text.value.length - SENTINEL)),
    goVersion,
    path,
  );
  return { goVersion, modules };
}

/** `dep` lines, the main module, and the standard library as the version that the program was built with. */
function modulesOf(text: Buffer, goVersion: string, path: string): ImagePackage[] {
  const modules: ImagePackage[] = [];
  for (const line of text.toString('utf8').split('\n')) {
    const [kind, name, version] = line.split('\t');
    if (name === undefined || version === undefined) continue;
    // `=>` replaces the module of the line above.
    if (kind === '=>') modules.pop();
    if (kind === 'mod' || kind === 'dep' || kind === '=>') modules.push(goModule(name, version, path));
  }
  const [, standard] = /^go(\d\S*)/.exec(goVersion) ?? [];
  return standard === undefined ? modules : [...modules, goModule('stdlib', standard, path)];
}

function goModule(name: string, version: string, path: string): ImagePackage {
  return {
    type: 'golang',
    name,
    version,
    path,
    hashes: [],
    purl: packageUrl({ type: 'golang', name, version }),
  };
}

/** A length as a varint (LEB128), then that many bytes. */
function inlineString(bytes: Buffer, at: number): { value: Buffer; end: number } | undefined {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte >= 0x80) continue;
    const start = at + i + 1;
    return start + length > bytes.length
      ? undefined
      : { value: bytes.subarray(start, start + length), end: start + length };
  }
  return undefined;
}

/** A section of a 64- or 32-bit ELF file of either byte order (elf(5)). */
function findSection(file: FilePart, wanted: string): { offset: number; size: number } | undefined {
  const header = file.read(0, 64);
  if (header.length < 52 || header.toString('latin1', 0, 4) !== '\x7fELF') return undefined;
  const wide = header[4] === 2;
  const little = header[5] === 1;
  if (wide && header.length < 64) return undefined;
  const u16 = (b: Buffer, at: number): number => (little ? b.readUInt16LE(at) : b.readUInt16BE(at));
  const u32 = (b: Buffer, at: number): number => (little ? b.readUInt32LE(at) : b.readUInt32BE(at));
  const word = (b: Buffer, at: number): number =>
    wide ? Number(little ? b.readBigUInt64LE(at) : b.readBigUInt64BE(at)) : u32(b, at);
  const table = word(header, wide ? 40 : 32);
  const size = u16(header, wide ? 58 : 46);
  const count = Math.min(u16(header, wide ? 60 : 48), MAX_SECTIONS);
  const names = u16(header, wide ? 62 : 50);
  if (size < (wide ? 64 : 40) || table > file.size) return undefined;
  const sections = file.read(table, size * count);
  const at = (i: number): { name: number; offset: number; size: number } | undefined => {
    const start = i * size;
    if (start + size > sections.length) return undefined;
    return {
      name: u32(sections, start),
      offset: word(sections, start + (wide ? 24 : 16)),
      size: word(sections, start + (wide ? 32 : 20)),
    };
  };
  const strings = at(names);
  if (!strings || strings.offset > file.size) return undefined;
  const text = file.read(strings.offset, Math.min(strings.size, MAX_TEXT));
  for (let i = 0; i < count; i++) {
    const section = at(i);
    if (!section || section.offset > file.size) continue;
    const end = text.indexOf(0, section.name);
    if (text.toString('latin1', section.name, end < 0 ? text.length : end) === wanted) return section;
  }
  return undefined;
}
