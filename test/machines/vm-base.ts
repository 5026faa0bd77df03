import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { takeDownloads } from '../e2e/shared-downloads.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const BUILD = `[ ! -e "$1" ] || exit 0
cp "$2"/* .
"$3" "$4" build .
rm -r "$INGOT_CACHE_DIR"`;

/**
 * A bootable qcow2 with cloud-init and an SSH server, for reading: that of INGOT_TEST_VM_BASE, or one that the first file
 * of a run builds. Where files share no folder it is built below `dir`.
 */
export function vmBase(dir: string): string {
  const given = process.env.INGOT_TEST_VM_BASE;
  if (given) return given;
  const project = join(process.env.INGOT_TEST_SHARED ?? dir, 'vm-base');
  // It has this name when it is whole.
  const image = join(project, 'output-base/base-1.0.0.qcow2');
  if (existsSync(image)) return image;
  const cache = join(project, 'cache');
  const isFirst = mkdirSync(project, { recursive: true }) !== undefined;
  if (isFirst) takeDownloads(cache);
  const words = [image, join(ROOT, 'test/fixtures/vm'), process.execPath, join(ROOT, 'bin/ingot')];
  // Whoever comes meanwhile waits.
  execFileSync('flock', [project, 'sh', '-ec', BUILD, 'sh', ...words], {
    cwd: project,
    env: { ...process.env, INGOT_CACHE_DIR: cache, INGOT_DATA_DIR: join(project, 'data') },
    stdio: 'pipe',
  });
  return image;
}
