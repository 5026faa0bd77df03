import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Folders of a cache whose files are named by what they are made of, and put in place whole: none is changed afterwards. */
const PARTS = ['apt', 'initramfs'];
const LINK = 'for part in $3; do [ ! -e "$1/$part" ] || cp -a --link --no-clobber "$1/$part" "$2"; done';

/** Packages that a test file of this run has fetched before and unpacked, and initramfs that it has made. */
export function takeDownloads(cache: string): void {
  const shared = sharedFolder();
  if (shared !== undefined) link(shared, shared, cache);
}

/** Leaves them to those that come later. */
export function leaveDownloads(cache: string): void {
  const shared = sharedFolder();
  if (shared !== undefined) link(shared, cache, shared);
}

/** undefined outside a run of files that need root. */
function sharedFolder(): string | undefined {
  const run = process.env.INGOT_TEST_SHARED;
  if (run === undefined) return undefined;
  const shared = join(run, 'downloads');
  if (!existsSync(shared)) mkdirSync(shared, { recursive: true });
  return shared;
}

/** One at a time: cp(1) gives up on a folder that another one makes. */
function link(lock: string, from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  execFileSync('flock', [lock, 'sh', '-ec', LINK, 'sh', from, to, PARTS.join(' ')], { stdio: 'pipe' });
}
