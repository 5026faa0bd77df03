import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BootCheckResult } from '../../src/checks/boot.ts';
import { Workspace } from './ingot.ts';

const BOOT_ONCE = `image "web" {
  version = git.version
  output "qcow2" { compression = "zstd" }
  output "raw" {}
  test "boot" {
    firmware = ["bios", "uefi"]
    timeout  = "600s"
  }
  release { channels = ["dev"] }
}
`;

let ws: Workspace;
beforeAll(() => {
  ws = new Workspace();
  writeFileSync(ws.path('web.ingot.hcl'), BOOT_ONCE);
  ws.commit('release-1.2.0');
});
afterAll(() => ws.remove());

const digest = (path: string): string =>
  `sha256:${createHash('sha256').update(readFileSync(path)).digest('hex')}`;

describe('examples/web, the whole way', () => {
  test('builds, boots by BIOS and UEFI, with and without a seed, and is released', async () => {
    const report = await ws.build();
    const [image] = report.images;
    expect(report.ok).toBe(true);
    expect(image).toMatchObject({ name: 'web', version: '1.2.0', status: 'done' });
    for (const output of image?.outputs ?? []) expect(digest(output.path)).toBe(output.digest);
    expect(image?.tests[0]?.outcome.checks.map((c) => c.name)).toEqual([
      'bios, with seed',
      'uefi, with seed',
      'bios, without seed',
    ]);
    const data = image?.tests[0]?.outcome.data as unknown as BootCheckResult;
    for (const c of data.cases) {
      expect(c.grown).toBe(true);
      expect(c.report?.firstBoot).toBe(true);
      expect(c.report?.failedUnits).toEqual([]);
    }
    expect(ws.residue()).toEqual([]);
  });

  test('the filesystem in the disk is whole, and the qcow2 is the raw disk', async () => {
    const { images } = await ws.build();
    const path = (format: string): string =>
      images[0]?.outputs.find((o) => o.format === format)?.path as string;
    execFileSync('qemu-img', ['compare', '-q', path('raw'), path('qcow2')]);
    const table = JSON.parse(execFileSync('sfdisk', ['-J', path('raw')], { encoding: 'utf8' })) as {
      partitiontable: { label: string; partitions: { start: number; name: string }[] };
    };
    expect(table.partitiontable.label).toBe('gpt');
    const root = table.partitiontable.partitions.find((p) => p.name === 'root');
    const root_image = `${path('raw')}?offset=${(root?.start ?? 0) * 512}`;
    execFileSync('e2fsck', ['-fn', root_image], { stdio: 'pipe' });
    expect(statSync(path('raw')).blocks * 512).toBeLessThan(statSync(path('raw')).size);
  });

  test('a second build runs no step', async () => {
    const [image] = (await ws.build()).images;
    expect(image?.steps.ran).toBe(1); // the manifest, which is written every time
  });

  test('an edit of the last provisioner runs it and what follows, on the layers below', async () => {
    appendFileSync(ws.path('harden.sh'), '\n# edited\n');
    // The boots take minutes, and the disk of an edited image would be booted again.
    writeFileSync(ws.path('web.ingot.hcl'), BOOT_ONCE.replace(/test "boot" \{[^}]*\}/, ''));
    ws.commit('release-1.2.1');
    const { exitCode, stdout } = await ws.run('build', '--timestamp-ui', '.');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/mmdebstrap\.base: cached/);
    expect(stdout).toMatch(/file\[1\]: cached/);
    expect(stdout).toMatch(/shell harden\.sh: done/);
    expect(stdout).toMatch(/initramfs from the cache/);
  });

  test('releases are found, and a version is never changed', async () => {
    const found = await ws.run('lookup', 'web@1.2.0', '--output', 'qcow2', '--json');
    expect(found.exitCode).toBe(0);
    const { outputs } = JSON.parse(found.stdout) as { outputs: { digest: string; path: string }[] };
    expect(digest(outputs[0]?.path as string)).toBe(outputs[0]?.digest);
    expect((await ws.run('lookup', 'web@dev', '--json')).stdout).toContain('"1.2.1"');
    // The same version with other content.
    appendFileSync(ws.path('harden.sh'), '# edited again\n');
    const image = readFileSync(ws.path('web.ingot.hcl'), 'utf8');
    writeFileSync(ws.path('web.ingot.hcl'), image.replace('git.version', '"1.2.0"'));
    const refused = await ws.run('build', '.');
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr + refused.stdout).toContain('release/exists');
  });
});
