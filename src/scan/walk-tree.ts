import { type BigIntStats, lstatSync } from 'node:fs';
import { readdir, readlink } from 'node:fs/promises';

/** An entry of a tree. Devices, pipes and sockets are `other`: nobody opens them. */
export type TreeEntry =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly place: Buffer;
      readonly size: number;
      /** A file with the same one has the same content; undefined where that cannot be said. */
      readonly identity?: string;
    }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | { readonly kind: 'directory' | 'other'; readonly path: string };

/** A disk image as it was before any build wrote to it. */
export interface ImageOrigin {
  /** Says which image it is. */
  readonly id: string;
  /** Nanoseconds since 1970; what was changed before was changed by who made the image. */
  readonly takenNs: bigint;
}

const SLASH = Buffer.from('/');

/**
 * Everything in a folder, in the order of names. `path` begins with a slash, as the image has it; `place` is where it lies
 * on the host, in bytes, since not every name is UTF-8. Symbolic links are told, and never followed. `origin`: of the disk image
 * that the folder is the filesystem of.
 */
export async function* walkTree(
  dir: string,
  signal: AbortSignal,
  origin?: ImageOrigin,
): AsyncGenerator<TreeEntry> {
  yield* walk(Buffer.from(dir), '', signal, origin);
}

async function* walk(
  folder: Buffer,
  top: string,
  signal: AbortSignal,
  origin: ImageOrigin | undefined,
): AsyncGenerator<TreeEntry> {
  for (const name of (await readdir(folder, { encoding: 'buffer' })).sort((a, b) => a.compare(b))) {
    signal.throwIfAborted();
    const path = `${top}/${name.toString()}`;
    const place = Buffer.concat([folder, SLASH, name]);
    // A way through the thread pool takes longer than the call; between folders others have their turn.
    const stat = lstatSync(place, { bigint: true });
    if (stat.isDirectory()) {
      yield { kind: 'directory', path };
      yield* walk(place, path, signal, origin);
    } else if (stat.isSymbolicLink()) yield { kind: 'symlink', path, target: await readlink(place) };
    else if (stat.isFile())
      yield { kind: 'file', path, place, size: Number(stat.size), ...identityOf(stat, origin) };
    else yield { kind: 'other', path };
  }
}

/**
 * The kernel sets the time of change at each change, to the nanosecond. A whole second was written by who made the disk: all
 * its files may have that, so that it says something of files of that very image only.
 */
export function identityOf(
  { ino, ctimeNs, size }: Pick<BigIntStats, 'ino' | 'ctimeNs' | 'size'>,
  origin: ImageOrigin | undefined,
): { identity?: string } {
  const identity = `${ino} ${ctimeNs} ${size}`;
  if (ctimeNs % 1_000_000_000n !== 0n) return { identity };
  return origin && ctimeNs < origin.takenNs ? { identity: `${identity} ${origin.id}` } : {};
}
