import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runCli } from '../cli/run-cli.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-names-'));
  vi.stubEnv('INGOT_CACHE_DIR', join(dir, 'cache'));
  writeFileSync(join(dir, 'base.raw'), Buffer.alloc(4096));
  writeFileSync(join(dir, 'site.yml'), '- hosts: all\n  tasks: []\n');
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true });
});

const source = (name: string): string => `source "qemu" "${name}" {
  iso_url      = "base.raw"
  iso_checksum = "none"
  disk_image   = true
  ssh_username = "root"
}
`;

/** Digests of the step after the source, of two images that differ in the name of their source alone. */
async function stepOf(provisioner: string): Promise<(string | undefined)[]> {
  const build = `build {\n  sources = ["qemu.one", "qemu.two"]\n  provisioner ${provisioner}\n}\n`;
  writeFileSync(join(dir, 'web.pkr.hcl'), source('one') + source('two') + build);
  const image = (name: string): string =>
    `image "${name}" {\n  build   = "qemu.${name}"\n  version = "1"\n  output "qcow2" {}\n}\n`;
  writeFileSync(join(dir, 'web.ingot.hcl'), image('one') + image('two'));
  const { stdout, stderr } = await runCli(['plan', '--json', dir]);
  expect(stderr).not.toContain('error');
  const { images } = JSON.parse(stdout) as { images: { steps: { id: string }[] }[] };
  expect(images[0]?.steps[0]?.id).toBe(images[1]?.steps[0]?.id);
  return images.map(({ steps }) => steps[1]?.id);
}

test.each([
  ['shell, by PACKER_BUILD_NAME', '"shell" {\n    inline = ["env > /srv/env"]\n  }'],
  ['ansible, by packer_build_name', '"ansible" {\n    playbook_file = "site.yml"\n  }'],
  ['ansible-local', '"ansible-local" {\n    playbook_file = "site.yml"\n  }'],
])('what is told the name of its build is not shared with another: %s', async (_what, provisioner) => {
  const [one, two] = await stepOf(provisioner);
  expect(one).toMatch(/^sha256:/);
  expect(one).not.toBe(two);
});

test('what is not told is shared', async () => {
  const [one, two] = await stepOf('"file" {\n    content     = "x"\n    destination = "/srv/x"\n  }');
  expect(one).toBe(two);
});
