import { lstatSync, lutimesSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Sets every time of modification later than `epoch` (seconds since 1970) to it, in a whole tree, links and
 * folders included: what a build wrote does not tell when (reproducible-builds.org, SOURCE_DATE_EPOCH).
 */
export function clampTimes(dir: string, epoch: number): void {
  const visit = (path: string): void => {
    const stat = lstatSync(path);
    if (stat.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
    if (stat.mtimeMs > epoch * 1000) lutimesSync(path, epoch, epoch);
  };
  visit(dir);
}
