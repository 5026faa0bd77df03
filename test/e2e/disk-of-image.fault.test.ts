import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BuildReport } from '../../src/app/build.ts';
import { Workspace } from './ingot.ts';

// In `npm run test:faults` alone: it makes a whole system twice, and boots it.
describe.runIf(process.env.INGOT_FAULTS === 'long')('a container image with a kernel and GRUB', () => {
  let ws: Workspace;
  beforeAll(() => {
    ws = new Workspace();
    rmSync(ws.project, { recursive: true });
  });
  afterAll(() => ws?.remove());

  async function build(name: string, source: string, ...blocks: string[]): Promise<BuildReport> {
    const template = ws.path(name, 'image.pkr.hcl');
    mkdirSync(dirname(template), { recursive: true });
    const [type] = source.split(' ');
    writeFileSync(
      template,
      `source "${type}" "x" {\n${source.slice((type as string).length)}\n}\nbuild {\n  sources = ["${type}.x"]\n}\n`,
    );
    const image = `image "${name}" {\n  version = "1.0.0"\n${blocks.map((b) => `  ${b}\n`).join('')}}\n`;
    writeFileSync(ws.path(name, 'image.ingot.hcl'), image);
    const { exitCode, stdout, stderr } = await ws.run('build', '--json', ws.path(name));
    expect(exitCode, stderr).toBe(0);
    return JSON.parse(stdout) as BuildReport;
  }

  test('becomes a sealed disk, which boots', async () => {
    const packages = ['init', 'udev', 'netbase', 'grub-pc-bin', 'grub-efi-amd64-bin', 'initramfs-tools'];
    const kernel = 'kernel = "linux-image-cloud-amd64"';
    const system = `mmdebstrap packages = ${JSON.stringify(packages)}\n${kernel}`;
    const { images } = await build('system', system, 'output "oci" {}');
    cpSync(images[0]?.outputs[0]?.path as string, ws.path('system.tar'));
    const report = await build(
      'booted',
      'oci image = "oci-archive:../system.tar"',
      'output "qcow2" {}',
      'output "vhd" {}',
      'output "oci" {}',
      'test "boot" { firmware = ["bios"] }',
    );
    expect(report.images[0]).toMatchObject({ status: 'done', tests: [{ outcome: { passed: true } }] });
    expect(report.images[0]?.outputs.map((o) => o.format)).toEqual(['qcow2', 'vhd', 'oci']);
  });
});
