// Programs that are built once from Go modules, for tests and the demo: a folder has the files, and a build.sh that makes
// the program at the path it is given.
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';

/** Real tools and servers, made once from the registries, are kept here. */
export const TOOLS = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ingot-test-tools');

/** Where the program of a folder is kept: other files make another one. */
export function programPath(source) {
  const hash = createHash('sha256');
  for (const name of readdirSync(source).sort()) hash.update(readFileSync(join(source, name)));
  return join(TOOLS, `${basename(source)}-${hash.digest('hex').slice(0, 12)}`);
}

/** Lays the files of a folder out to be built; answers the folder in which `sh build.sh PATH` makes the program. */
export function layOut(source) {
  const folder = join(TOOLS, 'build', basename(source));
  mkdirSync(folder, { recursive: true });
  // They end in .txt where Go and its tools would take them for parts of the checkout.
  for (const name of readdirSync(source))
    copyFileSync(join(source, name), join(folder, name.replace('.txt', '')));
  return folder;
}
