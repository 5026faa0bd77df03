import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const BUILD = 'mkdir -p "$2" && cp "$1"/* "$2" && cd "$2" && exec "$3" "$4" build .';

/**
 * A bootable qcow2 with cloud-init and an SSH server, for reading: that of INGOT_TEST_VM_BASE, or one that the first file
 * of a run builds. Where files share no folder it is built below `dir`.
 */
export function vmBase(dir: string): string {
  const given = process.env.INGOT_TEST_VM_BASE;
  if (given) return given;
  const parent = process.env.INGOT_TEST_SHARED ?? dir;
  const project = join(parent, 'vm-base');
  // It has this name when it is whole.
  const image = join(project, 'output-base/base-1.0.0.qcow2');
  if (!existsSync(image)) {
    const words = [join(ROOT, 'test/fixtures/vm'), project, process.execPath, join(ROOT, 'bin/ingot')];
    // Whoever comes meanwhile waits, and finds nothing to do.
    execFileSync('flock', [`${project}.lock`, 'sh', '-c', BUILD, 'sh', ...words], {
      env: {
        ...process.env,
        INGOT_CACHE_DIR: join(parent, 'vm-base-cache'),
        INGOT_DATA_DIR: join(parent, 'vm-base-data'),
      },
      stdio: 'pipe',
    });
  }
  return image;
}
