import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import type { Rootfs } from '../../core/rootfs.ts';

export interface WalkedFile {
  /** Absolute path in the image. */
  readonly path: string;
  /** Where it lies here. No part of it is a link. */
  readonly host: string;
  readonly stat: Stats;
}

/** Filled by the kernel at run time; what an image has below them is hidden. */
const SKIPPED = new Set(['/proc', '/sys', '/dev']);

/**
 * Every file of an image but folders, in the order of their names; links are not followed. Much faster than
 * Rootfs.walk, which resolves each path anew. `unnamed`: told of what no path can name, since it is not UTF-8.
 */
export function* walkFiles(root: Rootfs, unnamed: (path: string) => void): Iterable<WalkedFile> {
  const open = [{ path: '', host: root.dir }];
  for (let folder = open.pop(); folder; folder = open.pop()) {
    const below: typeof open = [];
    for (const raw of readdirSync(folder.host, { encoding: 'buffer' }).sort((a, b) => Buffer.compare(a, b))) {
      const name = raw.toString('utf8');
      const path = `${folder.path}/${name}`;
      if (!isUtf8(raw)) {
        unnamed(path);
        continue;
      }
      const host = `${folder.host}/${name}`;
      const stat = lstatSync(host);
      if (!stat.isDirectory()) yield { path, host, stat };
      else if (!SKIPPED.has(path)) below.push({ path, host });
    }
    open.push(...below.reverse());
  }
}
