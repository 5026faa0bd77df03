import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';

/** How two trees differ at one path. */
export interface TreeDifference {
  readonly path: string;
  /** `content`, `mode`, `owner`, `time`, `kind`, `target`, `device`, `only in the first`, `only in the second`. */
  readonly what: readonly string[];
}

/**
 * Compares two trees of files: kind, mode, owner, time of modification, content, link target. Stops after `limit`
 * differences. Extended attributes are not compared.
 */
export function compareTrees(first: string, second: string, limit = 50): TreeDifference[] {
  const differences: TreeDifference[] = [];
  const visit = (path: string): void => {
    if (differences.length >= limit) return;
    const a = statOf(join(first, path));
    const b = statOf(join(second, path));
    if (!a || !b) {
      if (a || b)
        differences.push({ path: path || '/', what: [a ? 'only in the first' : 'only in the second'] });
      return;
    }
    const what = compareEntry(path, a, b, first, second);
    if (what.length > 0) differences.push({ path: path || '/', what });
    if (!a.isDirectory() || !b.isDirectory()) return;
    const names = new Set([...readdirSync(join(first, path)), ...readdirSync(join(second, path))]);
    for (const name of [...names].sort()) visit(`${path}/${name}`);
  };
  visit('');
  return differences;
}

function compareEntry(path: string, a: Stats, b: Stats, first: string, second: string): string[] {
  if ((a.mode & 0o170000) !== (b.mode & 0o170000)) return ['kind'];
  const what: string[] = [];
  if ((a.mode & 0o7777) !== (b.mode & 0o7777)) what.push('mode');
  if (a.uid !== b.uid || a.gid !== b.gid) what.push('owner');
  if (a.isSymbolicLink()) {
    if (readlinkSync(join(first, path)) !== readlinkSync(join(second, path))) what.push('target');
  } else if (a.isFile()) {
    const differs =
      a.size !== b.size || !readFileSync(join(first, path)).equals(readFileSync(join(second, path)));
    if (differs) what.push('content');
  } else if (!a.isDirectory() && a.rdev !== b.rdev) {
    what.push('device');
  }
  if (a.mtimeMs !== b.mtimeMs) what.push('time');
  return what;
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}
