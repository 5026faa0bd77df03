import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseEvidence } from '../../src/app/evidence-schema.ts';
import type { ReproducibilityReport } from '../../src/app/verify-reproducible.ts';
import type { EvidenceBundle } from '../../src/core/evidence.ts';
import { Workspace } from './ingot.ts';

const template = (command: string): string => `source "mmdebstrap" "base" {
  suite    = "bookworm"
  packages = ["passwd"]
  kernel   = "none"
}
build {
  sources = ["source.mmdebstrap.base"]
  provisioner "shell" {
    inline = ["useradd --system app"]
  }
  provisioner "shell" {
    inline = ["install -d /srv/app", ${JSON.stringify(command)}]
  }
}
`;
const image = (version: string, proof = true): string => `image "web" {
  version = "${version}"
  output "rootfs" {}
  output "oci" {}
${proof ? '  policy { require = ["reproducible"] }' : ''}
  release { store = "oci-layout:./releases" }
}
`;

let ws: Workspace;
beforeAll(() => {
  ws = Workspace.withDownloads();
});
afterAll(() => ws.remove());

/** The evidence that is beside the outputs. */
function evidence(version: string): EvidenceBundle {
  const path = ws.path(`output-web/web-${version}.evidence.json`);
  return parseEvidence(readFileSync(path, 'utf8'), path);
}

describe('build --verify-reproducible', () => {
  test('says that equal builds are equal, which proves it to a policy', async () => {
    writeFileSync(ws.path('web.ingot.hcl'), image('1.0.0'));
    writeFileSync(ws.path('web.pkr.hcl'), template('date -u -d @$SOURCE_DATE_EPOCH >/srv/app/built'));
    const { exitCode, stdout, stderr } = await ws.run('build', '--verify-reproducible', '.');
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain('reproducible: both builds gave the same bytes');
    const { verdict, reproducibility, tests } = evidence('1.0.0');
    expect(verdict.status).toBe('released');
    expect(reproducibility).toEqual({ reproducible: true, formats: [], files: [] });
    expect(tests.find((t) => t.type === 'policy')?.result).toBe('passed');
    expect(ws.residue()).toEqual([]);

    // That they were equal once is no proof for the next build.
    const once = await ws.run('build', '.');
    expect(once.exitCode).toBe(1);
    expect(evidence('1.0.0').verdict.status).toBe('refused');
    expect(once.stdout + once.stderr).toContain('the image was not built twice');
  });

  test('a policy that requires it: nothing is released where builds differ', async () => {
    writeFileSync(ws.path('web.ingot.hcl'), image('2.0.0'));
    writeFileSync(ws.path('web.pkr.hcl'), template('cat /proc/sys/kernel/random/uuid >/srv/app/id'));
    const { exitCode, stdout, stderr } = await ws.run('build', '--verify-reproducible', '--json', '.');
    expect(exitCode, stderr).toBe(1);
    const { reproducible, ok, differences } = JSON.parse(stdout) as ReproducibilityReport;
    expect([reproducible, ok]).toEqual([false, false]);
    expect(differences).toHaveLength(1);
    expect(differences[0]).toMatchObject({ image: 'web', formats: ['rootfs', 'oci'] });
    expect(differences[0]?.files).toEqual([
      { path: '/srv/app/id', step: expect.stringContaining('shell[1]'), what: ['content'] },
    ]);
    const { verdict, reproducibility } = evidence('2.0.0');
    expect(verdict.status).toBe('refused');
    expect(verdict.reasons.map((r) => r.text).join()).toContain('two builds differ in rootfs, oci');
    expect(reproducibility?.reproducible).toBe(false);
    expect((await ws.run('release', 'list', 'web', '--store', 'oci-layout:./releases')).stdout).not.toContain(
      '2.0.0',
    );
    expect(ws.residue()).toEqual([]);
  });

  test('without such a policy the release is told to be irreproducible', async () => {
    writeFileSync(ws.path('web.ingot.hcl'), image('3.0.0', false));
    writeFileSync(ws.path('web.pkr.hcl'), template('touch /srv/app/$(cat /proc/sys/kernel/random/uuid)'));
    const { exitCode, stdout, stderr } = await ws.run(
      'build',
      '--verify-reproducible',
      '--json',
      '--report',
      'web.html',
      '--junit',
      'web.xml',
      '.',
    );
    expect(exitCode, stderr).toBe(1);
    const { differences } = JSON.parse(stdout) as ReproducibilityReport;
    expect(differences[0]?.files.map((f) => f.path)).toEqual([
      expect.stringContaining('/srv/app/'),
      expect.stringContaining('/srv/app/'),
    ]);
    expect(evidence('3.0.0')).toMatchObject({
      verdict: { status: 'released' },
      reproducibility: { reproducible: false, formats: ['rootfs', 'oci'] },
    });
    expect(readFileSync(ws.path('web.html'), 'utf8')).toContain(
      '<strong>Released, not reproducible</strong>',
    );
    expect(readFileSync(ws.path('web.xml'), 'utf8')).toContain('<failure message="rootfs, oci differ; first');
    expect(ws.residue()).toEqual([]);
  });

  test('a build that fails is not built again, not called reproducible, and leaves evidence', async () => {
    writeFileSync(ws.path('web.ingot.hcl'), image('4.0.0'));
    writeFileSync(ws.path('web.pkr.hcl'), template('echo the disk is haunted; exit 3'));
    const { exitCode, stdout, stderr } = await ws.run('build', '--verify-reproducible', '.');
    expect(exitCode).toBe(1);
    expect(stdout).not.toContain('both builds gave the same bytes');
    expect(stdout + stderr).toContain('web-4.0.0.evidence.json');
    const { verdict, release } = evidence('4.0.0');
    expect(release).toBeUndefined();
    expect(verdict).toMatchObject({
      status: 'failed',
      reasons: [{ step: expect.stringContaining('shell[1]') }],
    });
    expect(verdict.reasons[0]?.text).toContain('the disk is haunted');
  });
});
