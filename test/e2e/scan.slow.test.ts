import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BuildReport } from '../../src/app/build.ts';
import { type EvidenceBundle, factsOf } from '../../src/core/evidence.ts';
import { imageOf, writeLayout } from '../disk/oci/layouts.ts';
import { BOOKWORM, dpkgEntry } from '../scan/image-tree.ts';
import { trackerOf } from '../scan/vulnerabilities/tracker-of.ts';
import { busyboxMembers } from '../sources/oci/busybox.ts';
import { Workspace } from './ingot.ts';

let ws: Workspace;

/** The version of curl in the image, and what the image file says besides its outputs. */
function stage(version: string, curl: string): void {
  // What is locked stays: another content lies elsewhere.
  const layout = `layout-${version}-${curl}`;
  const status = dpkgEntry({ Package: 'libcurl4', Source: 'curl', Version: curl });
  writeLayout(ws.path(`web/${layout}`), {
    '1': imageOf([
      busyboxMembers(),
      [
        { path: 'etc/os-release', data: BOOKWORM },
        { path: 'var/lib/dpkg/status', data: status },
      ],
    ]),
  });
  writeFileSync(
    join(ws.path('web'), 'web.pkr.hcl'),
    `source "oci" "x" { image = "oci:${layout}:1" }
build { sources = ["source.oci.x"] }
`,
  );
  writeFileSync(
    join(ws.path('web'), 'web.ingot.hcl'),
    `image "web" {
  version = "${version}"
  output "rootfs" {}
  output "spdx" {}
  output "cyclonedx" {}
  test "vulnerabilities" { databases = ["tracker.json"] }
  release {}
}
`,
  );
}

async function build(): Promise<{ exitCode: number; report: BuildReport; stderr: string }> {
  const { exitCode, stdout, stderr } = await ws.run('build', '--json', 'web');
  return { exitCode, report: JSON.parse(stdout) as BuildReport, stderr };
}

const tracker = (fixed: string): void =>
  writeFileSync(
    ws.path('web/tracker.json'),
    trackerOf([{ source: 'curl', id: 'CVE-2026-1', status: 'resolved', fixed }]),
  );

beforeAll(() => {
  ws = Workspace.withDownloads();
  for (const file of ['web.pkr.hcl', 'web.ingot.hcl']) rmSync(ws.path(file), { force: true });
  mkdirSync(ws.path('web'));
});
afterAll(() => ws.remove());

describe('a build with a bill of materials and a test for vulnerabilities', () => {
  test('releases both formats, found again as they were written', async () => {
    stage('1.0.0', '7.88.1-10');
    tracker('7.88.1-9');
    const { exitCode, report, stderr } = await build();
    expect(exitCode, stderr).toBe(0);
    const outputs = report.images[0]?.outputs ?? [];
    expect(outputs.map((o) => o.format)).toEqual(['rootfs', 'spdx', 'cyclonedx']);
    for (const format of ['spdx', 'cyclonedx']) {
      const path = outputs.find((o) => o.format === format)?.path as string;
      const { stdout } = await ws.run('sbom', 'web@1.0.0', '--format', format);
      expect(stdout).toBe(readFileSync(path, 'utf8'));
      expect(stdout).toContain('pkg:deb/debian/libcurl4@7.88.1-10');
    }
  });

  test('leaves its evidence beside the outputs and with the release, and once, while nothing new is proven', async () => {
    const titles = async (): Promise<string[]> => {
      const { stdout } = await ws.run('release', 'show', 'web@1.0.0', '--json');
      return (JSON.parse(stdout) as { evidence: { title: string }[] }).evidence.map((e) => e.title);
    };
    expect(await titles()).toEqual(['web-1.0.0.evidence.json', 'vulnerabilities.json']);
    const page = ws.path('web.html');
    const { exitCode, stderr } = await ws.run(
      'build',
      '--report',
      page,
      '--junit',
      ws.path('web.xml'),
      'web',
    );
    expect(exitCode, stderr).toBe(0);
    expect(await titles()).toHaveLength(2);
    const html = readFileSync(page, 'utf8');
    expect(html).toContain('<strong>Released</strong>');
    expect(html).toContain('<td>libcurl4</td><td><code>7.88.1-10</code></td>');
    expect(readFileSync(ws.path('web.xml'), 'utf8')).toMatch(
      /classname="web\/seal"[\s\S]*known vulnerabilities/,
    );

    const read = async (what: string): Promise<EvidenceBundle> =>
      JSON.parse((await ws.run('report', what, '--format', 'json')).stdout) as EvidenceBundle;
    const [beside, released] = [await read('web'), await read('web@1.0.0')];
    expect(factsOf(beside)).toEqual(factsOf(released));
    expect(beside).toMatchObject({
      verdict: { status: 'released' },
      sbom: { packages: { deb: 1 } },
      tests: [{ type: 'vulnerabilities', result: 'passed' }],
      release: { digest: released.release?.digest },
    });
    expect(beside.seal?.operations.length).toBeGreaterThan(5);
    expect(beside.run.steps.filter((s) => s.status === 'cached').length).toBeGreaterThan(2);
  });

  test('nothing of the image changed, and the database did: the test runs again and fails the build', async () => {
    tracker('7.88.1-11');
    const { exitCode, report, stderr } = await build();
    expect(exitCode).toBe(1);
    expect(report.images[0]?.status).toBe('failed');
    expect(stderr).toContain('curl 7.88.1-10 is installed; 7.88.1-11 has the fix');
    const { stdout } = await ws.run('report', 'web');
    expect(stdout).toContain('<strong>Refused</strong>');
    expect(stdout).toContain('CVE-2026-1 in curl: curl 7.88.1-10 is installed; 7.88.1-11 has the fix');
  });

  test('a vulnerable image is not released; one with the fix is', async () => {
    stage('1.1.0', '7.88.1-10');
    expect((await build()).exitCode).toBe(1);
    expect((await ws.run('lookup', 'web@1.1.0')).exitCode).not.toBe(0);
    stage('1.1.0', '7.88.1-11');
    expect((await build()).exitCode).toBe(0);
    expect((await ws.run('lookup', 'web@1.1.0')).exitCode).toBe(0);
  });

  test('a database that is gone fails the build', async () => {
    rmSync(ws.path('web/tracker.json'));
    const { exitCode, stderr } = await build();
    expect(exitCode).toBe(1);
    expect(stderr).toContain('scan/no-database');
  });
});
