import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReproducibilityReport } from '../../src/app/verify-reproducible.ts';
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
const IMAGE = `image "web" {
  version = "1.0.0"
  output "rootfs" {}
  output "oci" {}
}
`;

let ws: Workspace;
beforeAll(() => {
  ws = new Workspace();
  writeFileSync(ws.path('web.ingot.hcl'), IMAGE);
});
afterAll(() => ws.remove());

describe('build --verify-reproducible', () => {
  test('says that equal builds are equal', async () => {
    writeFileSync(ws.path('web.pkr.hcl'), template('date -u -d @$SOURCE_DATE_EPOCH >/srv/app/built'));
    const { exitCode, stdout, stderr } = await ws.run('build', '--verify-reproducible', '.');
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain('reproducible: both builds gave the same bytes');
    expect(ws.residue()).toEqual([]);
  });

  test.each([
    ['content', 'cat /proc/sys/kernel/random/uuid >/srv/app/id', '/srv/app/id', ['content']],
    ['a name', 'touch /srv/app/$(cat /proc/sys/kernel/random/uuid)', '/srv/app/', undefined],
  ])(
    'names the file that differs in %s, the step and the formats, and fails',
    async (_what, command, path, what) => {
      writeFileSync(ws.path('web.pkr.hcl'), template(command));
      const { exitCode, stdout, stderr } = await ws.run('build', '--verify-reproducible', '--json', '.');
      expect(exitCode, stderr).toBe(1);
      const { reproducible, ok, differences } = JSON.parse(stdout) as ReproducibilityReport;
      expect([reproducible, ok]).toEqual([false, false]);
      expect(differences).toHaveLength(1);
      expect(differences[0]).toMatchObject({ image: 'web', formats: ['rootfs', 'oci'] });
      const files = differences[0]?.files ?? [];
      expect(files.length).toBe(what ? 1 : 2);
      for (const file of files) {
        expect(file.path).toContain(path);
        expect(file.step).toContain('shell[1]');
        if (what) expect(file.what).toEqual(what);
      }
      expect(ws.residue()).toEqual([]);
    },
  );

  test('a build that fails is not built again, and not called reproducible', async () => {
    writeFileSync(ws.path('web.pkr.hcl'), template('exit 3'));
    const { exitCode, stdout } = await ws.run('build', '--verify-reproducible', '.');
    expect(exitCode).toBe(1);
    expect(stdout).not.toContain('both builds gave the same bytes');
  });
});
