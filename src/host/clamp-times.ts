import { lstatSync, lutimesSync, readdirSync } from 'node:fs';

/**
 * Sets every time of modification later than `epoch` (seconds since 1970) to it, in a whole tree, links and
 * folders included: what a build wrote does not tell when (reproducible-builds.org, SOURCE_DATE_EPOCH).
 */
export function clampTimes(dir: string, epoch: number): void {
  // Names are bytes: not every image keeps to UTF-8.
  const visit = (path: Buffer): void => {
    const stat = lstatSync(path);
    if (stat.isDirectory())
      for (const name of readdirSync(path, { encoding: 'buffer' })) visit(Buffer.concat([path, SLASH, name]));
    if (stat.mtimeMs > epoch * 1000) lutimesSync(path, epoch, epoch);
  };
  visit(Buffer.from(dir));
}

const SLASH = Buffer.from('/');
