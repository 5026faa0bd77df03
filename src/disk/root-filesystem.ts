import type { Context } from '../core/context.ts';
import { readTree, type Tree, type TreeFile } from './ext4/tree.ts';
import { writeExt4 } from './ext4/write.ts';
import { dumpXattrs } from './ext4/xattr-dump.ts';

const BLOCK = 4096;
const INODE = 256;
/** What a name takes in a folder besides its own bytes, rounding included. */
const NAME = 11;

export interface RootFilesystemOptions {
  /** Raw disk, open for writing, and where in it the filesystem goes, in bytes. */
  readonly disk: number;
  readonly offset: number;
  readonly size: number;
  readonly uuid: string;
  readonly hashSeed: string;
  readonly label: string;
}

/** Everything about a finished filesystem but its files' contents. */
export async function readRoot(dir: string, ctx: Context): Promise<Tree> {
  // The process that reads attributes runs beside the walk; neither may outlive an error of the other.
  const work = [dumpXattrs(dir, ctx), Promise.resolve().then(() => readTree(dir))] as const;
  await Promise.allSettled(work);
  const [xattrs, tree] = await Promise.all(work);
  return { ...tree, xattrs };
}

/** Bytes that a tree takes on an ext4 of 4 KiB blocks, metadata included; an upper estimate. */
export function contentSize(tree: Tree): number {
  let bytes = 0;
  for (const file of tree.files) bytes += INODE + Math.ceil(dataSize(file) / BLOCK) * BLOCK;
  return bytes;
}

function dataSize({ size, target, entries }: TreeFile): number {
  if (target) return target.length < 60 ? 0 : target.length;
  if (!entries) return size;
  return entries.reduce((sum, { name }) => sum + NAME + name.length, 2 * NAME);
}

/** Writes a tree as an ext4 filesystem into a raw disk, without mounting it; see docs/disk/ext4.md. */
export async function writeRootFilesystem(tree: Tree, o: RootFilesystemOptions, ctx: Context): Promise<void> {
  const { disk: file, ...rest } = o;
  await writeExt4(tree, { file, ...rest, epoch: ctx.epoch, signal: ctx.signal });
}
