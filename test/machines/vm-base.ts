import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');

/** A bootable qcow2 with cloud-init and an SSH server: that of INGOT_TEST_VM_BASE, or one built below `dir`. */
export function vmBase(dir: string): string {
  const given = process.env.INGOT_TEST_VM_BASE;
  if (given) return given;
  const project = join(dir, 'vm-base');
  cpSync(join(ROOT, 'test/fixtures/vm'), project, { recursive: true });
  execFileSync(process.execPath, [join(ROOT, 'bin/ingot'), 'build', '.'], {
    cwd: project,
    env: {
      ...process.env,
      INGOT_CACHE_DIR: join(dir, 'vm-base-cache'),
      INGOT_DATA_DIR: join(dir, 'vm-base-data'),
    },
    stdio: 'pipe',
  });
  return join(project, 'output-base/base-1.0.0.qcow2');
}
