import { IngotError } from '../../core/error.ts';
import { type Content, MOST_AT_ONCE } from './content.ts';
import { directoryBlocks, type Name } from './directory.ts';
import { Extents } from './extents.ts';
import type { FileCopier } from './file-content.ts';
import { BLOCK, FIRST_INODE, type Geometry, INODE_SIZE } from './geometry.ts';
import { inodeSeed, mapOf, writeFields, xattrsOf } from './inode.ts';
import { journalSuperblock } from './journal.ts';
import { type ReservedBlock, writeResizeMap } from './resize-inode.ts';
import type { FileKind, TreeFile } from './tree.ts';
import type { XattrsByPath } from './xattr-dump.ts';
import { putInBlock, putInInode, storedXattrs } from './xattrs.ts';

const ROOT_INODE = 2;
const RESIZE_INODE = 7;
export const JOURNAL_INODE = 8;
/** Longer targets of symlinks take a block. */
const MOST_IN_INODE = 59;

const TYPES: Readonly<Record<FileKind, number>> = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  character: 0o020000,
  block: 0o060000,
  fifo: 0o010000,
  socket: 0o140000,
};

export interface InodesOptions {
  /** All of them, in the order in which they get their numbers. */
  readonly files: readonly TreeFile[];
  readonly top: TreeFile;
  readonly lostFound: TreeFile;
  readonly content: Content;
  readonly xattrs: XattrsByPath;
  /** The filesystem's seed of checksums. */
  readonly seed: number;
  readonly epoch: number;
}

/** Where the journal is, for the superblock's copy of it. */
export interface Journal {
  readonly map: Buffer;
  readonly size: number;
}

/** The inode table in the making. */
export class Inodes {
  /** Number of the last inode in use. */
  readonly last: number;
  readonly #numbers = new Map<TreeFile, number>();
  readonly #parents = new Map<TreeFile, TreeFile>();
  readonly #seed: number;
  readonly #table: Buffer;
  readonly #content: Content;
  readonly #xattrs: XattrsByPath;
  readonly #epoch: bigint;

  constructor(o: InodesOptions) {
    let next = FIRST_INODE;
    this.#numbers.set(o.top, ROOT_INODE);
    this.#numbers.set(o.lostFound, next++);
    for (const file of o.files) {
      if (!this.#numbers.has(file)) this.#numbers.set(file, next++);
      for (const { file: child } of file.entries ?? [])
        if (child.kind === 'directory') this.#parents.set(child, file);
    }
    this.last = next - 1;
    this.#table = Buffer.alloc(this.last * INODE_SIZE);
    this.#content = o.content;
    this.#xattrs = o.xattrs;
    this.#seed = o.seed;
    this.#epoch = BigInt(o.epoch) * 1_000_000_000n;
  }

  async directory(file: TreeFile, least: number): Promise<void> {
    const number = this.#number(file);
    const names: Name[] = [
      { name: '.', inode: number, kind: 'directory' },
      { name: '..', inode: this.#number(this.#parents.get(file) ?? file), kind: 'directory' },
      ...(file.entries ?? []).map(({ name, file: { kind }, file: child }) => ({
        name,
        inode: this.#number(child),
        kind,
      })),
    ];
    const blocks = directoryBlocks(names, least, inodeSeed(number, this.#seed));
    await this.#withContent(file, blocks);
  }

  /** A file of any other kind. */
  async other(file: TreeFile, copier: FileCopier): Promise<void> {
    if (file.kind === 'file') {
      const extents = new Extents();
      await copier.copy(file, extents);
      await this.#finish(file, file.size, extents);
    } else if (file.kind === 'symlink' && file.target && file.target.length > MOST_IN_INODE) {
      await this.#withContent(file, file.target);
    } else {
      const map = mapOf(this.#inode(this.#number(file)));
      if (file.target) map.set(file.target);
      if (file.kind === 'character' || file.kind === 'block') putDevice(map, file);
      await this.#finish(file, file.target?.length ?? 0, undefined);
    }
  }

  /** An empty journal of `blocks`. */
  async journal(blocks: number, uuid: Buffer): Promise<Journal> {
    const extents = new Extents();
    const size = blocks * BLOCK;
    await this.#content.settle();
    let logical = 0;
    const add = (block: number, count: number): void => {
      extents.add(logical, block, count);
      logical += count;
    };
    this.#content.put(journalSuperblock(blocks, uuid), add);
    this.#content.leave(blocks - 1, add);
    await this.#reserved(JOURNAL_INODE, size, extents);
    return { map: mapOf(this.#inode(JOURNAL_INODE)), size };
  }

  /** The inode of the blocks for descriptors to come. */
  async resize(geometry: Geometry): Promise<readonly ReservedBlock[]> {
    await this.#content.settle();
    const inode = this.#inode(RESIZE_INODE);
    const { blocks, size, contents } = writeResizeMap(mapOf(inode), geometry, this.#content);
    this.#fields(RESIZE_INODE, { mode: 0o100600, size, blocks, extents: false });
    return contents;
  }

  /** A group's part of the table, as far as it is in use. */
  table(group: number, perGroup: number): Buffer {
    return this.#table.subarray(group * perGroup * INODE_SIZE, (group + 1) * perGroup * INODE_SIZE);
  }

  /** Directories in each group. */
  directories(perGroup: number): number[] {
    const counts: number[] = [];
    for (const [file, number] of this.#numbers) {
      if (file.kind !== 'directory') continue;
      const group = Math.floor((number - 1) / perGroup);
      counts[group] = (counts[group] ?? 0) + 1;
    }
    return counts;
  }

  #number(file: TreeFile): number {
    const number = this.#numbers.get(file);
    if (number === undefined) throw new RangeError(`/${file.path} is not in the list of files`);
    return number;
  }

  #inode(number: number): Buffer {
    return this.#table.subarray((number - 1) * INODE_SIZE, number * INODE_SIZE);
  }

  async #withContent(file: TreeFile, data: Buffer): Promise<void> {
    const extents = new Extents();
    let logical = 0;
    for (let at = 0; at < data.length; at += MOST_AT_ONCE * BLOCK) {
      await this.#content.settle();
      this.#content.put(data.subarray(at, at + MOST_AT_ONCE * BLOCK), (block, count) => {
        extents.add(logical, block, count);
        logical += count;
      });
    }
    await this.#finish(file, data.length, extents);
  }

  async #finish(file: TreeFile, size: number, extents: Extents | undefined): Promise<void> {
    const number = this.#number(file);
    await extents?.write(mapOf(this.#inode(number)), this.#content, inodeSeed(number, this.#seed));
    const xattrBlock = await this.#putXattrs(file, number);
    this.#fields(number, {
      mode: TYPES[file.kind] | file.mode,
      uid: file.uid,
      gid: file.gid,
      size,
      links: file.links,
      blocks: (extents?.blocks ?? 0) + (xattrBlock === 0 ? 0 : 1),
      extents: extents !== undefined,
      xattrBlock,
      mtime: file.mtime,
    });
  }

  async #putXattrs(file: TreeFile, number: number): Promise<number> {
    const xattrs = this.#xattrs.get(file.path);
    if (!xattrs) return 0;
    const stored = storedXattrs(file.path, xattrs);
    if (putInInode(xattrsOf(this.#inode(number)), stored)) return 0;
    await this.#content.settle();
    const block = this.#content.block();
    putInBlock(file.path, block.data, block.number, stored, this.#seed);
    return block.number;
  }

  async #reserved(number: number, size: number, extents: Extents): Promise<void> {
    await extents.write(mapOf(this.#inode(number)), this.#content, inodeSeed(number, this.#seed));
    this.#fields(number, { mode: 0o100600, size, blocks: extents.blocks, extents: true });
  }

  #fields(
    number: number,
    o: Partial<Parameters<typeof writeFields>[1]> & {
      mode: number;
      size: number;
      blocks: number;
      extents: boolean;
    },
  ): void {
    const usual = { uid: 0, gid: 0, links: 1, xattrBlock: 0, mtime: this.#epoch, epoch: this.#epoch };
    writeFields(this.#inode(number), { ...usual, ...o }, inodeSeed(number, this.#seed));
  }
}

/** Small numbers as of old, others in the second word (include/linux/kdev_t.h). */
function putDevice(map: Buffer, { path, major, minor }: TreeFile): void {
  if (major >= 2 ** 12 || minor >= 2 ** 20)
    throw new IngotError(
      'disk/unknown-file',
      `/${path} is device ${major}:${minor}; the most is 4095:1048575`,
    );
  if (major < 256 && minor < 256) map.writeUInt32LE((major << 8) | minor, 0);
  else map.writeUInt32LE(((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0, 4);
}
