import { IngotError } from '../../core/error.ts';
import { continueCrc32c } from '../formats/crc32c.ts';
import { BLOCK } from './geometry.ts';
import type { Xattr } from './xattr-dump.ts';

const MAGIC = 0xea020000;
const BLOCK_HEADER = 32;
const IN_INODE_HEADER = 4;
const ENTRY = 16;

/** Beginnings of names that are stored as a number (kernel documentation, ext4, "Extended Attributes"). */
const PREFIXES: readonly (readonly [prefix: string, index: number])[] = [
  ['system.posix_acl_access', 2],
  ['system.posix_acl_default', 3],
  ['user.', 1],
  ['trusted.', 4],
  ['security.', 6],
  ['system.', 7],
];

interface Entry {
  readonly index: number;
  readonly name: Buffer;
  readonly value: Buffer;
}

/** Attributes as ext4 keeps them, in the order in which it looks for them. `path`: for errors. */
export function storedXattrs(path: string, xattrs: readonly Xattr[]): Entry[] {
  return xattrs
    .map(({ name, value }) => {
      const [prefix, index] = PREFIXES.find(([p]) => name.startsWith(p)) ?? [];
      if (prefix === undefined || index === undefined) {
        throw new IngotError(
          'disk/bad-xattr',
          `/${path} has the attribute ${name}, which ext4 has no place for`,
          {
            hint: 'Remove it with `setfattr -x`: names begin with user, trusted, security or system.',
          },
        );
      }
      const isAcl = index === 2 || index === 3;
      return {
        index,
        name: Buffer.from(isAcl ? '' : name.slice(prefix.length), 'latin1'),
        value: isAcl ? storedAcl(path, value) : value,
      };
    })
    .sort((a, b) => a.index - b.index || a.name.length - b.name.length || Buffer.compare(a.name, b.name));
}

/** Writes attributes behind an inode's fields; answers false where they do not fit. */
export function putInInode(room: Buffer, entries: readonly Entry[]): boolean {
  const size = entries.reduce((sum, e) => sum + entrySize(e) + pad(e.value.length), IN_INODE_HEADER + 4);
  if (size > room.length) return false;
  room.writeUInt32LE(MAGIC, 0);
  // Offsets of values count from behind the magic number.
  putEntries(room.subarray(IN_INODE_HEADER), 0, entries);
  return true;
}

/** Writes attributes into a block of their own. `seed`: the filesystem's, of its checksums. */
export function putInBlock(
  path: string,
  block: Buffer,
  number: number,
  entries: readonly Entry[],
  seed: number,
): void {
  const size = entries.reduce((sum, e) => sum + entrySize(e) + pad(e.value.length), BLOCK_HEADER + 4);
  if (size > BLOCK) {
    throw new IngotError(
      'disk/bad-xattr',
      `the extended attributes of /${path} take ${size} bytes; the most is ${BLOCK}`,
      {
        hint: 'Remove some with `setfattr -x`.',
      },
    );
  }
  const hashes = putEntries(block, BLOCK_HEADER, entries);
  block.writeUInt32LE(MAGIC, 0);
  block.writeUInt32LE(1, 4);
  block.writeUInt32LE(1, 8);
  block.writeUInt32LE(
    hashes.reduce((all, hash) => (((all << 16) | (all >>> 16)) ^ hash) >>> 0, 0),
    12,
  );
  const place = Buffer.alloc(8);
  place.writeBigUInt64LE(BigInt(number));
  block.writeUInt32LE(continueCrc32c(continueCrc32c(seed, place), block), 16);
}

/** Entries from the front, values from the back; a zero word ends the entries. Answers the entries' hashes. */
function putEntries(area: Buffer, start: number, entries: readonly Entry[]): number[] {
  let at = start;
  let end = area.length - (area.length % 4);
  return entries.map((entry) => {
    const { index, name, value } = entry;
    end -= pad(value.length);
    const hash = hashOf(entry);
    area[at] = name.length;
    area[at + 1] = index;
    area.writeUInt16LE(value.length === 0 ? 0 : end, at + 2);
    area.writeUInt32LE(value.length, at + 8);
    area.writeUInt32LE(hash, at + 12);
    area.set(name, at + ENTRY);
    area.set(value, end);
    at += entrySize(entry);
    return hash;
  });
}

/** e_hash: the name's bytes, then the value's words, each shifted in (fs/ext4/xattr.c, ext4_xattr_hash_entry). */
function hashOf({ name, value }: Entry): number {
  let hash = 0;
  for (const byte of name) hash = ((hash << 5) ^ (hash >>> 27) ^ byte) >>> 0;
  const words = Buffer.alloc(pad(value.length));
  words.set(value);
  for (let at = 0; at < words.length; at += 4)
    hash = ((hash << 16) ^ (hash >>> 16) ^ words.readUInt32LE(at)) >>> 0;
  return hash;
}

/**
 * An access list as ext4 stores it: version 1, and entries without an id but for named users and groups. The kernel
 * shows version 2, with an id in each (include/uapi/linux/posix_acl_xattr.h; fs/ext4/acl.h).
 */
function storedAcl(path: string, shown: Buffer): Buffer {
  if (shown.length < 4 || shown.readUInt32LE(0) !== 2 || (shown.length - 4) % 8 !== 0)
    throw new IngotError(
      'disk/bad-xattr',
      `/${path} has an access list of ${shown.length} bytes that is none of version 2`,
    );
  const parts: Buffer[] = [Buffer.from([1, 0, 0, 0])];
  for (let at = 4; at < shown.length; at += 8) {
    const tag = shown.readUInt16LE(at);
    const named = tag === ACL_USER || tag === ACL_GROUP;
    parts.push(shown.subarray(at, at + (named ? 8 : 4)));
  }
  return Buffer.concat(parts);
}

const ACL_USER = 0x02;
const ACL_GROUP = 0x08;

function entrySize({ name }: Entry): number {
  return ENTRY + pad(name.length);
}

function pad(length: number): number {
  return Math.ceil(length / 4) * 4;
}
