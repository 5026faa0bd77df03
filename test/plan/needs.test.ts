import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runCli } from '../cli/run-cli.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-needs-'));
  vi.stubEnv('INGOT_CACHE_DIR', join(dir, 'cache'));
  writeFileSync(join(dir, 'base.raw'), Buffer.alloc(4096));
  writeFileSync(
    join(dir, 'web.pkr.hcl'),
    `source "qemu" "web" {
  iso_url      = "base.raw"
  iso_checksum = "none"
  disk_image   = true
  memory       = 4096
  cpus         = 3
  ssh_username = "root"
}
build {
  sources = ["source.qemu.web"]
}
`,
  );
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true });
});

const MIB = 1024 * 1024;

test.each([
  ['vm', { memory: 4096 * MIB, cpus: 3 }],
  // It has the host's memory and processors, whatever the template gives its machine.
  ['container', { memory: 512 * MIB, cpus: 1 }],
])('what a build takes of the host, engine %s', async (engine, needs) => {
  writeFileSync(
    join(dir, 'web.ingot.hcl'),
    `image "web" {\n  version = "1"\n  engine  = "${engine}"\n  output "qcow2" {}\n}\n`,
  );
  const { stdout, stderr } = await runCli(['plan', '--json', dir]);
  expect(stderr).not.toContain('error');
  const { images } = JSON.parse(stdout) as { images: { needs: unknown }[] };
  expect(images.map((image) => image.needs)).toEqual([needs]);
});
