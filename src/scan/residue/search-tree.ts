import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { walkTree } from '../walk-tree.ts';
import { type FileHit, type SearchContext, searchOpened } from './search-file.ts';
import { type NeedleSet, StreamSearch } from './search-stream.ts';

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
 * `clean` files are not read again.
 */
export async function searchTree(
  dir: string,
  needles: NeedleSet,
  ctx: SearchContext,
  clean?: CleanFiles,
): Promise<TreeSearch> {
  const hits: { hit: FileHit; path: string }[] = [];
  let searched = 0;
  const inText = (text: string, path: string): void => {
    const search = new StreamSearch(needles);
    search.add(Buffer.from(text), 0);
    hits.push(...search.hits.map((hit) => ({ hit, path })));
  };
  for await (const entry of walkTree(dir, ctx.signal)) {
    const { path } = entry;
    inText(basename(path), `the name of ${path}`);
    if (entry.kind === 'symlink') inText(entry.target, path);
    if (entry.kind !== 'file' || entry.size === 0) continue;
    const { identity } = entry;
    if (identity !== undefined && clean?.has(identity)) continue;
    await using file = await open(entry.place, constants.O_RDONLY | constants.O_NOFOLLOW);
    const found = await searchOpened(file, [{ start: 0, end: entry.size }], needles, ctx);
    searched += found.searched;
    hits.push(...found.hits.map((hit) => ({ hit, path })));
    if (identity !== undefined && found.hits.length === 0 && !ctx.budget.exceeded) clean?.add(identity);
  }
  return { hits, searched };
}
