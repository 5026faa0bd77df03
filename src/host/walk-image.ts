import { lstatSync, readdirSync, type Stats } from 'node:fs';

export interface ImageEntry {
  /** Absolute path inside the image; bytes of a name that are no UTF-8 are shown as U+FFFD. */
  readonly path: string;
  /** The same as it is, without the first slash. */
  readonly bytes: Buffer;
  readonly stat: Stats;
}

const SLASH = Buffer.from('/');

/**
 * Everything in an image's folder but the folder itself, in the order of names' bytes; links are told, not followed. No
 * name is passed over: what a judgement of all files missed could be what it looks for.
 */
export function* walkImage(dir: string): Generator<ImageEntry> {
  const top = Buffer.from(dir);
  const open = [{ path: '', place: top }];
  for (let folder = open.pop(); folder; folder = open.pop()) {
    const below: typeof open = [];
    for (const name of readdirSync(folder.place, { encoding: 'buffer' }).sort((a, b) =>
      Buffer.compare(a, b),
    )) {
      const place = Buffer.concat([folder.place, SLASH, name]);
      const path = `${folder.path}/${name.toString()}`;
      const stat = lstatSync(place);
      yield { path, bytes: place.subarray(top.length + 1), stat };
      if (stat.isDirectory()) below.push({ path, place });
    }
    open.push(...below.reverse());
  }
}
