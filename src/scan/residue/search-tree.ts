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

/** Searches all that a folder holds: contents, names and targets of symbolic links, which are not followed. */
export async function searchTree(dir: string, needles: NeedleSet, ctx: SearchContext): Promise<TreeSearch> {
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
    await using file = await open(entry.place, constants.O_RDONLY | constants.O_NOFOLLOW);
    const found = await searchOpened(file, [{ start: 0, end: entry.size }], needles, ctx);
    searched += found.searched;
    hits.push(...found.hits.map((hit) => ({ hit, path })));
  }
  return { hits, searched };
}
