import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { planBuild } from '../../src/app/plan.ts';
import { runCli } from '../cli/run-cli.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-late-'));
  vi.stubEnv('INGOT_CACHE_DIR', join(dir, 'cache'));
  for (const name of ['base.raw', 'a.sh', 'app']) writeFileSync(join(dir, name), name);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true });
});

/** Steps whose files are looked at when their turn comes. */
async function lateOf(...provisioners: readonly string[]): Promise<string[]> {
  const source =
    'source "qemu" "web" {\n  iso_url      = "base.raw"\n  iso_checksum = "none"\n  disk_image   = true\n  ssh_username = "root"\n}\n';
  const blocks = provisioners.map((p) => `  provisioner ${p}\n`).join('');
  writeFileSync(join(dir, 'web.pkr.hcl'), `${source}build {\n  sources = ["qemu.web"]\n${blocks}}\n`);
  const image = 'image "web" {\n  build   = "qemu.web"\n  version = "1"\n  output "qcow2" {}\n}\n';
  writeFileSync(join(dir, 'web.ingot.hcl'), image);
  const { plan, diagnostics } = await planBuild(
    { path: dir },
    { emit: () => {}, signal: new AbortController().signal },
  );
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const steps = plan?.images[0]?.steps ?? [];
  return steps.filter(({ late }) => late).map(({ label }) => label.replace('web/', ''));
}

const LOCAL = '"shell-local" {\n    inline = ["make app"]\n  }';
const SCRIPT = '"shell" {\n    script = "a.sh"\n  }';
const INLINE = '"shell" {\n    inline = ["true"]\n  }';
const FILE = '"file" {\n    source      = "app"\n    destination = "/srv/"\n  }';
const MADE = '"file" {\n    source      = "made"\n    destination = "/srv/"\n    generated   = true\n  }';

test('the plan says which steps those are', async () => {
  await lateOf(LOCAL, SCRIPT);
  const { stdout } = await runCli(['plan', dir]);
  expect(stdout).toMatch(/shell a\.sh.*runs again where the build has made its files anew\n/);
  const { images } = JSON.parse((await runCli(['plan', '--json', dir])).stdout) as {
    images: { steps: { late?: boolean }[] }[];
  };
  expect(images[0]?.steps.filter(({ late }) => late)).toHaveLength(1);
});

test('the plan of what the build itself may write is not the last word', async () => {
  expect(await lateOf(SCRIPT, FILE, INLINE)).toEqual([]);
  expect(await lateOf(SCRIPT, LOCAL, INLINE, SCRIPT, FILE)).toEqual(['shell[3]', 'file[4]']);
  expect(await lateOf(INLINE, MADE)).toEqual(['file[1]']);
});
