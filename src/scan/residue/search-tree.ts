import { constants } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileHit, searchOpened } from './search-file.ts';
import { type NeedleSet, StreamSearch } from './search-stream.ts';

export interface TreeSearch {
  readonly hits: readonly { readonly hit: FileHit; readonly path: string }[];
  /** Bytes that were read. */
  readonly searched: number;
}

/**
 * Searches all that a folder holds: contents, names and targets of symbolic links, which are not followed. Devices,
 * pipes and sockets are not opened.
 */
export async function searchTree(dir: string, needles: NeedleSet, signal: AbortSignal): Promise<TreeSearch> {
  const hits: { hit: FileHit; path: string }[] = [];
  let searched = 0;
  const inText = (text: string, path: string): void => {
    const search = new StreamSearch(needles);
    search.add(Buffer.from(text), 0);
    hits.push(...search.hits.map((hit) => ({ hit, path })));
  };
  const visit = async (path: string): Promise<void> => {
    signal.throwIfAborted();
    for (const name of (await readdir(join(dir, path))).sort()) {
      const below = `${path}/${name}`;
      const place = join(dir, below);
      inText(name, `the name of ${below}`);
      const stat = await lstat(place);
      if (stat.isDirectory()) await visit(below);
      else if (stat.isSymbolicLink()) inText(await readlink(place), below);
      else if (stat.isFile() && stat.size > 0) {
        await using file = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW);
        const found = await searchOpened(file, [{ start: 0, end: stat.size }], needles, signal);
        searched += found.searched;
        hits.push(...found.hits.map((hit) => ({ hit, path: below })));
      }
    }
  };
  await visit('');
  return { hits, searched };
}
