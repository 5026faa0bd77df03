import { closeSync, constants, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { type ImageOrigin, type TreeEntry, walkTree } from '../walk-tree.ts';
import { type FileHit, type FileSearch, type SearchContext, searchOpened } from './search-file.ts';
import { type NeedleSet, StreamSearch } from './search-stream.ts';

/** Bytes; files of no more are read at once, which is several times as fast for the many that an image has. */
const SMALL = 1 << 20;
/** Milliseconds after which others, such as a machine that is started meanwhile, have their turn. */
const TURN_MS = 20;
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW;

type SomeFile = TreeEntry & { readonly kind: 'file' };

export interface TreeSearch {
  readonly hits: readonly { readonly hit: FileHit; readonly path: string }[];
  /** Bytes that were read. */
  readonly searched: number;
}

/** Files that an earlier search for the same needles found nothing in. */
export interface CleanFiles {
  has(identity: string): boolean;
  add(identity: string): void;
}

/**
 * Searches all that a folder holds: contents, names and targets of symbolic links, which are not followed. The contents of
 * `clean` files are not read again. `origin`: of the disk image that the folder is the filesystem of.
 */
export async function searchTree(
  dir: string,
  needles: NeedleSet,
  ctx: SearchContext,
  clean?: CleanFiles,
  origin?: ImageOrigin,
): Promise<TreeSearch> {
  const hits: { hit: FileHit; path: string }[] = [];
  let searched = 0;
  const buffer = Buffer.allocUnsafe(SMALL + 1);
  const inText = (text: string, path: string): void => {
    const search = new StreamSearch(needles);
    search.add(Buffer.from(text), 0);
    hits.push(...search.hits.map((hit) => ({ hit, path })));
  };
  let since = performance.now();
  for await (const entry of walkTree(dir, ctx.signal, origin)) {
    const { path } = entry;
    if (performance.now() - since > TURN_MS) {
      await turn();
      since = performance.now();
    }
    inText(basename(path), `the name of ${path}`);
    if (entry.kind === 'symlink') inText(entry.target, path);
    if (entry.kind !== 'file' || entry.size === 0) continue;
    const { identity } = entry;
    if (identity !== undefined && clean?.has(identity)) continue;
    const found = searchSmall(entry, needles, buffer) ?? (await searchLarge(entry, needles, ctx));
    searched += found.searched;
    hits.push(...found.hits.map((hit) => ({ hit, path })));
    if (identity !== undefined && found.hits.length === 0 && !ctx.budget.exceeded) clean?.add(identity);
  }
  return { hits, searched };
}

/** Searches a file in one go. undefined: it is larger than it was, or something is packed in it. */
function searchSmall({ place, size }: SomeFile, needles: NeedleSet, buffer: Buffer): FileSearch | undefined {
  if (size > SMALL) return undefined;
  const fd = openSync(place, FLAGS);
  try {
    const length = readSync(fd, buffer, 0, buffer.length, 0);
    if (length > size) return undefined;
    const search = new StreamSearch(needles);
    search.add(buffer.subarray(0, length), 0);
    return search.packed.length > 0 ? undefined : { hits: search.hits, searched: length };
  } finally {
    closeSync(fd);
  }
}

async function searchLarge(
  { place, size }: SomeFile,
  needles: NeedleSet,
  ctx: SearchContext,
): Promise<FileSearch> {
  await using file = await open(place, FLAGS);
  return await searchOpened(file, [{ start: 0, end: size }], needles, ctx);
}
