import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BuildReport } from '../../src/app/build.ts';
import { imageOf, writeLayout } from '../disk/oci/layouts.ts';
import { BOOKWORM, dpkgEntry } from '../scan/image-tree.ts';
import { busyboxMembers } from '../sources/oci/busybox.ts';
import { Workspace } from './ingot.ts';

/** What the image has besides busybox; a new name of the layout for each, since what is locked stays. */
interface Broken {
  readonly packages?: readonly string[];
  readonly modes?: Readonly<Record<string, number>>;
}

let ws: Workspace;
let layouts = 0;

function stage({ packages = [], modes = {} }: Broken, policy: string): void {
  const layout = `layout-${++layouts}`;
  const status = ['base-files', ...packages]
    .map((Package) => dpkgEntry({ Package, Version: '1.0' }))
    .join('');
  const files = {
    'etc/os-release': BOOKWORM,
    'var/lib/dpkg/status': status,
    'etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
    'etc/group': 'root:x:0:\n',
    'usr/bin/helper': 'x',
  };
  const members = Object.entries(files).map(([path, data]) => ({ path, data, mode: modes[path] ?? 0o644 }));
  writeLayout(ws.path(`web/${layout}`), { '1': imageOf([busyboxMembers(), members]) });
  writeFileSync(
    join(ws.path('web'), 'web.pkr.hcl'),
    `source "oci" "x" { image = "oci:${layout}:1" }\nbuild { sources = ["source.oci.x"] }\n`,
  );
  writeFileSync(
    join(ws.path('web'), 'web.ingot.hcl'),
    `image "web" {
  version = "1.0.${layouts}"
  output "spdx" {}
  test "secrets" {}
  policy {
    require = ["secrets", "sbom"]
    ${policy}
  }
  release {}
}
`,
  );
}

async function build() {
  const { exitCode, stdout, stderr } = await ws.run('build', '--json', 'web');
  const report = JSON.parse(stdout || '{}') as BuildReport;
  const checks = report.images?.[0]?.tests.find((t) => t.type === 'policy')?.outcome.checks ?? [];
  const released = (await ws.run('lookup', `web@1.0.${layouts}`)).exitCode === 0;
  const failed = checks.filter((c) => !c.passed);
  return { exitCode, stderr, failed, checks, released, image: report.images?.[0] };
}

const POLICY = `forbid_packages = ["telnet*"]
    allow_privileged = ["debian"]
    hardening = ["own.yaml"]`;

beforeAll(() => {
  ws = Workspace.withDownloads();
  for (const file of ['web.pkr.hcl', 'web.ingot.hcl']) rmSync(ws.path(file), { force: true });
  mkdirSync(ws.path('web'));
  writeFileSync(
    ws.path('web/own.yaml'),
    'file: {/etc/passwd: {exists: true, mode: "0644", meta: {id: passwd-mode, pci-dss: ["7.2.2"]}}}\n',
  );
});
afterAll(() => ws.remove());

describe('a build with a policy', () => {
  test('releases what fulfils it, and takes the answer from the cache', async () => {
    stage({}, POLICY);
    const first = await build();
    expect(first.stderr + JSON.stringify(first.failed)).toContain('[]');
    expect(first).toMatchObject({ exitCode: 0, released: true });
    expect(first.checks.map((c) => c.name)).toEqual([
      'proofs',
      'forbidden packages',
      'privileged files',
      'hardening own.yaml',
    ]);
    const again = await build();
    expect(again.image?.steps.ran).toBe(0);
    expect(again.checks).toEqual(first.checks);
  });

  test('tells everything that does not hold at once, and releases nothing', async () => {
    stage({ packages: ['telnetd'], modes: { 'usr/bin/helper': 0o4755, 'etc/passwd': 0o666 } }, POLICY);
    const { exitCode, released, failed, stderr } = await build();
    expect({ exitCode, released }).toEqual({ exitCode: 1, released: false });
    expect(failed.map((c) => c.name)).toEqual([
      'package:telnetd',
      'privileged:/usr/bin/helper',
      'passwd-mode',
    ]);
    expect(failed[0]?.message).toContain('telnetd 1.0 is installed; "telnet*" forbids it');
    expect(failed[1]?.message).toContain('has setuid; allow_privileged does not name it');
    expect(failed[2]?.message).toContain('(PCI DSS 7.2.2)');
    expect(stderr).toContain('[policy/privileged-file]');
    // `ingot test` says why, too.
    const { exitCode: tested, stderr: said, stdout } = await ws.run('test', 'web');
    expect(tested).toBe(1);
    expect(said + stdout).toContain('[policy/forbidden-package]');
  });

  test('exceptions let pass until they end', async () => {
    const except = (expires: string) =>
      `${POLICY}\n    except {\n      id = "privileged:/usr/bin/helper"\n      reason = "until 2.0"\n      expires = "${expires}"\n    }`;
    stage({ modes: { 'usr/bin/helper': 0o4755 } }, except('2999-12-31'));
    expect(await build()).toMatchObject({ exitCode: 0, released: true });
    stage({ modes: { 'usr/bin/helper': 0o4755 } }, except('2020-01-31'));
    const ended = await build();
    expect(ended).toMatchObject({ exitCode: 1, released: false });
    expect(ended.failed.map((c) => c.name)).toEqual([
      'privileged:/usr/bin/helper',
      'except privileged:/usr/bin/helper',
    ]);
  });

  test('a base that does not say how old it is fulfils no age', async () => {
    stage({}, 'max_base_age = "24h"');
    const { exitCode, failed } = await build();
    expect(exitCode).toBe(1);
    expect(failed.map((c) => c.name)).toEqual(['base-age']);
  });

  test('a required test that fails is told by the policy, too', async () => {
    stage({}, POLICY);
    writeFileSync(
      ws.path('web/rules.toml'),
      'title = "t"\n[[rules]]\nid = "found"\ndescription = "d"\nregex = \'\'\'root:x\'\'\'\n',
    );
    const image = join(ws.path('web'), 'web.ingot.hcl');
    writeFileSync(
      image,
      `image "web" {
  version = "1.0.${layouts}"
  output "rootfs" {}
  test "secrets" { rules = "rules.toml" }
  policy { require = ["secrets"] }
  release {}
}
`,
    );
    const { exitCode, failed, released } = await build();
    expect({ exitCode, released }).toEqual({ exitCode: 1, released: false });
    expect(failed.map((c) => `${c.name}: ${c.message}`)).toEqual([
      expect.stringMatching(
        /^proof:secrets: "secrets" is required: \d+ of its checks failed.*\[policy\/unproven\]/,
      ),
    ]);
  });
});
