import type { Context } from '../core/context.ts';
import { readTree, type Tree, type TreeFile } from './ext4/tree.ts';
import { writeExt4 } from './ext4/write.ts';
import { dumpXattrs, type Xattr, type XattrsByPath } from './ext4/xattr-dump.ts';

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

/** Of overlayfs itself: they say how layers lie on each other, and mean nothing in a finished image. */
const OF_OVERLAYS = /^(?:trusted|user)\.overlay\./;

/**
 * Everything about a finished filesystem but its files' contents. `layers`: the folders of what overlayfs would lay on
 * each other, lowest first; one folder is a filesystem as it is.
 */
export async function readRoot(
  layers: readonly string[],
  ctx: Pick<Context, 'host' | 'signal'>,
): Promise<Tree> {
  const dumps = await dumpXattrs(layers, ctx);
  const byLayer = new Map(layers.map((dir, i) => [dir, dumps[i] as XattrsByPath]));
  const tree = readTree(layers, (dir, path) => isOpaque(byLayer.get(dir)?.get(path)));
  const xattrs = new Map<string, readonly Xattr[]>();
  for (const { dir, path } of tree.files) {
    const own = byLayer
      .get(dir)
      ?.get(path)
      ?.filter(({ name }) => !OF_OVERLAYS.test(name));
    if (own && own.length > 0) xattrs.set(path, own);
  }
  return { ...tree, xattrs };
}

function isOpaque(xattrs: readonly Xattr[] | undefined): boolean {
  return (
    xattrs?.some(({ name, value }) => name === 'trusted.overlay.opaque' && value.toString() === 'y') ?? false
  );
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
