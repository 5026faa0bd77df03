import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Context } from '../../../src/core/context.ts';
import type { Rootfs } from '../../../src/core/rootfs.ts';
import { createHost } from '../../../src/host/index.ts';
import { takeInventory } from '../../../src/scan/packages/inventory.ts';
import { renderSbom, type SbomFormat } from '../../../src/scan/sbom.ts';
import { readTrivy } from '../../../src/scan/vulnerabilities/external.ts';
import { checkVulnerabilities, type VulnerabilityOptions } from '../../../src/scan/vulnerabilities.ts';
import { output, trivy } from '../../secrets/real-tools.ts';
import { debianImage, imageOf } from '../image-tree.ts';
import { goProgram } from '../packages/go-program.ts';
import { zipOf } from '../zip-of.ts';

const tool = trivy();

describe.skipIf(tool.missing)(`trivy 0.57${tool.missing ? ` (skipped: ${tool.missing})` : ''}`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'ingot-trivy-'));
  const ghsa = (name: string): string => `${name}::GitHub Security Advisory ${name}`;

  beforeAll(() => {
    const rows = [
      ['CVE-2026-1', 'debian 12', 'curl', '7.88.1-10+deb12u9', 'HIGH'],
      ['CVE-2026-2', 'debian 12', 'curl', '7.88.1-10+deb12u5', 'CRITICAL'],
      ['CVE-2026-3', 'debian 12', 'zlib', '', 'LOW'],
      ['CVE-2026-4', 'debian 12', 'zlib', '1:1.2.13.dfsg-1', 'CRITICAL'],
      ['CVE-2026-5', 'debian 11', 'bash', '9', 'CRITICAL'],
      ['CVE-2026-6', 'alpine 3.19', 'openssl', '3.1.4-r5', 'HIGH'],
      ['CVE-2026-7', ghsa('npm'), '@a/b', '1.3.1', 'MEDIUM'],
      ['CVE-2026-8', ghsa('pip'), 'foo-bar', '1.3', 'UNKNOWN'],
      ['CVE-2026-9', ghsa('go'), 'golang.org/x/net', '0.2.0', 'HIGH'],
      ['CVE-2026-10', ghsa('maven'), 'org.x:lib', '3.2', 'CRITICAL'],
    ];
    const entries = rows.map(([ID, Platform, Package, Fixed, Severity]) => ({
      ID,
      Platform,
      Package,
      Fixed,
      Severity,
    }));
    output(`${tool.path}-database`, [dir, '2'], { input: JSON.stringify(entries) });
    output(`${tool.path}-database`, [join(dir, 'old'), '8'], { input: JSON.stringify(entries) });
    vi.stubEnv('TRIVY_CACHE_DIR', dir);
    vi.stubEnv('TRIVY_SKIP_DB_UPDATE', 'true');
    vi.stubEnv('TRIVY_SKIP_JAVA_DB_UPDATE', 'true');
    vi.stubEnv('TRIVY_OFFLINE_SCAN', 'true');
    vi.stubEnv('TRIVY_EXIT_CODE', '7');
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(dir, { recursive: true });
  });

  async function check(root: Rootfs, options: Partial<VulnerabilityOptions> = {}) {
    const ctx = {
      host: { ...createHost({ leaseDir: join(dir, 'leases') }), requireTool: () => tool.path },
      signal: new AbortController().signal,
      clock: { now: () => new Date() },
      workDir: dir,
      templateDir: dir,
      epoch: 1,
    } as unknown as Context;
    const defaults = {
      fail_on_fixable: true,
      fail_on_unknown: false,
      databases: [],
      max_age: 7 * 86_400_000,
      vex: [],
      scanner: 'trivy',
    };
    const report = await checkVulnerabilities(root, { ...defaults, ...options } as VulnerabilityOptions, ctx);
    const failed = report.checks.filter((c) => !c.passed).map((c) => `${c.name}: ${c.message}`);
    return { ...report, failed };
  }

  /** curl is vulnerable with u8; libz's source has another name, and an epoch. */
  const debian = (curl: string, more: Record<string, string> = {}): Rootfs =>
    debianImage({ libcurl4: `${curl} curl`, zlib1g: '1:1.2.13.dfsg-1', bash: '5.2.15-2+b7', ...more });
  const vulnerable = { zlib1g: '1:1.2.13.dfsg-1+b1 zlib (1:1.2.13.dfsg-1)' };

  test('the gate fails for what is vulnerable and can be fixed, by its source package', async () => {
    const { failed, vulnerabilities } = await check(debian('7.88.1-10+deb12u8', vulnerable));
    expect(failed).toEqual([
      'CVE-2026-1 in libcurl4: libcurl4 7.88.1-10+deb12u8 is installed; 7.88.1-10+deb12u9 has the fix',
    ]);
    expect(vulnerabilities.map((v) => [v.id, v.name, v.state, v.fixed, v.urgency])).toEqual([
      ['CVE-2026-1', 'libcurl4', 'fixable', '7.88.1-10+deb12u9', 'high'],
      ['CVE-2026-3', 'zlib1g', 'unfixed', undefined, 'low'],
    ]);
  });

  test('nothing is found in what has the fix', async () => {
    const { failed, vulnerabilities } = await check(debian('7.88.1-10+deb12u9'));
    expect({ failed, vulnerabilities }).toEqual({ failed: [], vulnerabilities: [] });
  });

  test('an urgency is gated', async () => {
    const { failed } = await check(debian('7.88.1-10+deb12u9', vulnerable), { fail_on: 'low' });
    expect(failed).toEqual([expect.stringMatching(/^CVE-2026-3 in zlib1g: /)]);
  });

  test('a system that it does not know is no system without vulnerabilities', async () => {
    const root = debian('7.88.1-10+deb12u8');
    writeFileSync(join(root.dir, 'etc/os-release'), 'ID=oddix\nVERSION_ID=1\n');
    expect((await check(root)).failed).toEqual([
      expect.stringMatching(/^trivy: .*leaves out the 3 packages of oddix 1.*\[scan\/bad-scanner\]/),
    ]);
  });

  test('the age of its database is known, and an old one fails the check', async () => {
    const { databases } = await check(debian('7.88.1-10+deb12u9'));
    const days = (Date.now() - Date.parse(databases[0]?.date ?? '')) / 86_400_000;
    expect(days).toBeCloseTo(2, 1);
    vi.stubEnv('TRIVY_CACHE_DIR', join(dir, 'old'));
    const { failed } = await check(debian('7.88.1-10+deb12u9'));
    vi.stubEnv('TRIVY_CACHE_DIR', dir);
    expect(failed).toEqual([
      expect.stringMatching(/^database trivy: OUT OF DATE: .* 8 days ago; at most 7 days are allowed$/),
    ]);
  });

  test('a database that is not there fails the check', async () => {
    vi.stubEnv('TRIVY_CACHE_DIR', join(dir, 'empty'));
    const { failed } = await check(debian('7.88.1-10+deb12u9'));
    vi.stubEnv('TRIVY_CACHE_DIR', dir);
    expect(failed).toEqual([expect.stringMatching(/^trivy: .*\[host\/command-failed\]/)]);
  });

  /** What trivy finds in the document that users get. */
  function found(format: SbomFormat, root: Rootfs) {
    const inventory = takeInventory(root);
    const path = join(dir, `sbom.${format}.json`);
    writeFileSync(path, renderSbom(format, inventory, { name: 'web', version: '1.0.0', epoch: 1 }));
    const args = ['sbom', '--quiet', '--format', 'json', '--exit-code', '0', path];
    const all = readTrivy(output(tool.path, args, { quiet: true }).toString(), inventory);
    return all.map((v) => `${v.id} ${v.name} ${v.installed} ${v.fixed} ${v.urgency}`).sort();
  }

  describe.each(['cyclonedx', 'spdx'] as const)('our document in %s', (format) => {
    test('has what it needs of Debian and of languages', () => {
      const root = debianImage(
        { curl: '7.88.1-10+deb12u8', ...vulnerable },
        {
          'a/node_modules/@a/b/package.json': '{"name":"@a/b","version":"1.3.0"}',
          'usr/lib/python3/dist-packages/Foo_Bar-1.2.dist-info/METADATA': 'Name: Foo_Bar\nVersion: 1.2\n\n',
        },
      );
      const pom = 'groupId=org.x\nartifactId=lib\nversion=3.1\n';
      const jar = { 'META-INF/MANIFEST.MF': 'A: b\n', 'META-INF/maven/org.x/lib/pom.properties': pom };
      writeFileSync(join(root.dir, 'a/lib.jar'), zipOf(jar));
      const lines = ['path\te.x/t', 'mod\te.x/t\tv1.0.0\th1:x', 'dep\tgolang.org/x/net\tv0.1.0\th1:y'];
      writeFileSync(join(root.dir, 'a/tool'), goProgram('go1.22.1', lines));
      chmodSync(join(root.dir, 'a/tool'), 0o755);
      expect(found(format, root)).toEqual([
        'CVE-2026-1 curl 7.88.1-10+deb12u8 7.88.1-10+deb12u9 high',
        'CVE-2026-10 org.x:lib 3.1 3.2 critical',
        'CVE-2026-3 zlib1g 1:1.2.13.dfsg-1+b1 undefined low',
        'CVE-2026-7 @a/b 1.3.0 1.3.1 medium',
        'CVE-2026-8 foo-bar 1.2 1.3 unknown',
        'CVE-2026-9 golang.org/x/net v0.1.0 0.2.0 high',
      ]);
    });

    test('has the source packages of Alpine', () => {
      const root = imageOf({
        'etc/os-release': 'ID=alpine\nVERSION_ID=3.19.1\n',
        'lib/apk/db/installed':
          'P:libcrypto3\nV:3.1.4-r4\nA:x86_64\no:openssl\n\nP:musl\nV:1.2.4-r2\no:musl\n\n',
      });
      expect(found(format, root)).toEqual(['CVE-2026-6 libcrypto3 3.1.4-r4 3.1.4-r5 high']);
    });
  });
});
