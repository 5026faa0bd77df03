import { writeSync } from 'node:fs';
import { IngotError } from '../../core/error.ts';
import { continueCrc32c } from '../formats/crc32c.ts';
import { Content } from './content.ts';
import { FileCopier } from './file-content.ts';
import { BLOCK, BLOCKS_PER_GROUP, hasSuperblock, planGeometry } from './geometry.ts';
import { groupState } from './groups.ts';
import { Inodes, type Journal, JOURNAL_INODE } from './inode-table.ts';
import { journalBlocks } from './journal.ts';
import { readAhead } from './read-ahead.ts';
import type { ReservedBlock } from './resize-inode.ts';
import { superblock } from './superblock.ts';
import type { Tree, TreeFile } from './tree.ts';

/** e2fsck puts what it finds here, and must find room. */
const LOST_FOUND = 'lost+found';
const LOST_FOUND_BLOCKS = 4;
export interface Ext4Options {
  /** Disk or image, open for writing; where the filesystem goes reads as zeros. */
  readonly file: number;
  /** Where in it the filesystem goes, and the most that it takes, in bytes. */
  readonly offset: number;
  readonly size: number;
  readonly uuid: string;
  /** UUID that the hashes of names start from. */
  readonly hashSeed: string;
  /** At most 16 bytes. */
  readonly label: string;
  /** Seconds since 1970: every time but those of files' modification. */
  readonly epoch: number;
  readonly signal?: AbortSignal;
}

/**
 * Writes a tree as a new ext4 filesystem, without mounting it. Equal trees and options give equal bytes. What is zero is not
 * written, so that a sparse file stays one. Throws `disk/too-small` where the tree does not fit.
 */
export async function writeExt4(tree: Tree, o: Ext4Options): Promise<void> {
  const { top, files, lostFound } = withLostFound(tree, o.epoch);
  const geometry = planGeometry(o.size, files.length);
  const uuid = uuidBytes(o.uuid);
  await using ahead = readAhead(files);
  const content = new Content(o.file, o.offset, geometry);
  const seed = continueCrc32c(0xffffffff, uuid);
  const inodes = new Inodes({
    files,
    top,
    lostFound,
    content,
    xattrs: tree.xattrs ?? new Map<string, never>(),
    seed,
    epoch: o.epoch,
  });
  const putAll = async (): Promise<{ journal: Journal; reserved: readonly ReservedBlock[] }> => {
    for (const file of files) {
      if (file.kind !== 'directory') continue;
      await inodes.directory(file, file === lostFound ? LOST_FOUND_BLOCKS : 1);
    }
    const copier = new FileCopier(content);
    for (const file of files) {
      o.signal?.throwIfAborted();
      if (file.kind === 'directory') continue;
      await inodes.other(file, copier);
      if (file.kind === 'file') ahead.used(file.size);
    }
    const journal = await inodes.journal(journalBlocks(geometry.blocks), uuid);
    const reserved = await inodes.resize(geometry);
    await content.end();
    return { journal, reserved };
  };
  const { journal, reserved } = await putAll().finally(() => content.idle());

  const write = (block: number, data: Uint8Array, shift = 0): void =>
    writeAll(o.file, data, o.offset + block * BLOCK + shift);
  for (const { block, data } of reserved) write(block, data);
  const usage = {
    geometry,
    nextBlock: content.next,
    lastInode: inodes.last,
    directories: inodes.directories(geometry.inodesPerGroup),
    seed,
  };
  const totals = { blocks: 0, inodes: 0 };
  const descriptors: Buffer[] = [];
  for (const [group, place] of geometry.groups.entries()) {
    const state = groupState(usage, group);
    if (state.blockBitmap) write(place.blockBitmap, state.blockBitmap);
    if (state.inodeBitmap) write(place.inodeBitmap, state.inodeBitmap);
    const table = inodes.table(group, geometry.inodesPerGroup);
    if (table.length > 0) write(place.inodeTable, table);
    descriptors.push(state.descriptor);
    totals.blocks += state.freeBlocks;
    totals.inodes += state.freeInodes;
  }
  const allDescriptors = Buffer.concat(descriptors);
  for (const group of geometry.groups.keys()) {
    if (!hasSuperblock(group)) continue;
    const sb = superblock(
      {
        geometry,
        uuid,
        hashSeed: uuidBytes(o.hashSeed),
        label: o.label,
        epoch: o.epoch,
        freeBlocks: totals.blocks,
        freeInodes: totals.inodes,
        journalInode: JOURNAL_INODE,
        journalMap: journal.map,
        journalSize: journal.size,
      },
      group,
    );
    // The first one leaves room for a boot sector.
    write(group * BLOCKS_PER_GROUP, sb, group === 0 ? 1024 : 0);
    write(group * BLOCKS_PER_GROUP + 1, allDescriptors);
  }
}

interface Everything {
  readonly top: TreeFile;
  readonly files: readonly TreeFile[];
  readonly lostFound: TreeFile;
}

/** The tree with the folder that e2fsck wants, which it need not have. */
function withLostFound(tree: Tree, epoch: number): Everything {
  const own = tree.top.entries?.find(({ name }) => name === LOST_FOUND)?.file;
  if (own?.kind === 'directory') return { top: tree.top, files: tree.files, lostFound: own };
  if (own) {
    throw new IngotError(
      'disk/lost-found',
      `/${LOST_FOUND} is a ${own.kind}; ext4 needs a folder of this name`,
      {
        hint: 'Remove it, or give it another name.',
      },
    );
  }
  const lostFound: TreeFile = {
    kind: 'directory',
    path: LOST_FOUND,
    dir: '',
    mode: 0o700,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: BigInt(epoch) * 1_000_000_000n,
    major: 0,
    minor: 0,
    links: 2,
    entries: [],
  };
  const entries = [...(tree.top.entries ?? []), { name: LOST_FOUND, file: lostFound }];
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const top = { ...tree.top, links: tree.top.links + 1, entries };
  return { top, files: [top, ...tree.files.slice(1), lostFound], lostFound };
}

function uuidBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex');
}

function writeAll(file: number, data: Uint8Array, position: number): void {
  for (let at = 0; at < data.length; ) at += writeSync(file, data, at, data.length - at, position + at);
}
