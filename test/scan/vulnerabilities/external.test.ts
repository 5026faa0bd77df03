import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, test, vi } from 'vitest';
import type { Context } from '../../../src/core/context.ts';
import { IngotError } from '../../../src/core/error.ts';
import { takeInventory } from '../../../src/scan/packages/inventory.ts';
import { dateOfGrype, readGrype, readTrivy, scanWith } from '../../../src/scan/vulnerabilities/external.ts';
import { debianImage, folderOf } from '../image-tree.ts';

const NO_PACKAGES = { os: {}, packages: [] };

test('a report of trivy', () => {
  const report = {
    SchemaVersion: 2,
    Results: [
      { Target: 'os' },
      {
        Vulnerabilities: [
          {
            VulnerabilityID: 'CVE-2026-1',
            PkgName: 'curl',
            InstalledVersion: '1-1',
            FixedVersion: '1-2',
            Severity: 'HIGH',
            Title: 'bad',
            PkgIdentifier: { PURL: 'pkg:deb/debian/curl@1-1' },
          },
          { VulnerabilityID: 'CVE-2026-2', PkgName: 'a', InstalledVersion: '1', Severity: 'UNKNOWN' },
        ],
      },
    ],
  };
  expect(readTrivy(JSON.stringify(report), NO_PACKAGES)).toEqual([
    {
      id: 'CVE-2026-1',
      name: 'curl',
      installed: '1-1',
      state: 'fixable',
      fixed: '1-2',
      urgency: 'high',
      description: 'bad',
      purls: ['pkg:deb/debian/curl@1-1'],
    },
    { id: 'CVE-2026-2', name: 'a', installed: '1', state: 'unfixed', urgency: 'unknown', purls: [] },
  ]);
});

test('a report of grype', () => {
  const match = (state: string, severity: string) => ({
    vulnerability: { id: 'CVE-2026-1', severity, fix: { state, versions: state === 'fixed' ? ['1-2'] : [] } },
    artifact: { name: 'curl', version: '1-1', purl: 'pkg:deb/debian/curl@1-1' },
  });
  const report = { matches: [match('fixed', 'Critical'), match('wont-fix', 'Negligible')] };
  expect(readGrype(JSON.stringify(report), NO_PACKAGES).map((v) => [v.state, v.fixed, v.urgency])).toEqual([
    ['fixable', '1-2', 'critical'],
    ['unfixed', undefined, 'negligible'],
  ]);
});

describe('what is no report is an error, not an image without vulnerabilities', () => {
  test.each(['', '{}', '[]', 'null', '{"Results":[]}', '{"matches":{}}'])('%s', (text) => {
    for (const read of [readTrivy, readGrype]) {
      expect(() => read(text, NO_PACKAGES)).toThrow(expect.objectContaining({ code: 'scan/bad-scanner' }));
    }
  });
});

describe('an installed scanner', () => {
  /** A host on which `tool` answers with `stdout`; what it was given is kept. */
  function hostOf(stdout: string | undefined, version = '{}') {
    const calls: { args: readonly string[]; sbom: { components?: { name: string }[] } }[] = [];
    const host = {
      requireTool(name: string) {
        if (stdout === undefined) throw new IngotError('host/missing-tool', `the command ${name} is needed`);
        return `/usr/bin/${name}`;
      },
      async scratch() {
        return { dir: folderOf({}), async [Symbol.asyncDispose]() {} };
      },
      async run(_tool: string, args: readonly string[]) {
        if (args[0] === 'version') return { exitCode: 0, stdout: version, stderr: '' };
        const path = (args.find((a) => a.includes('sbom.cdx.json')) ?? '').replace('sbom:', '');
        calls.push({ args, sbom: JSON.parse(readFileSync(path, 'utf8')) });
        return { exitCode: 0, stdout: stdout as string, stderr: '' };
      },
    };
    const ctx = { host, workDir: tmpdir(), epoch: 1, signal: new AbortController().signal };
    return { calls, ctx: ctx as unknown as Context };
  }
  const inventory = () => takeInventory(debianImage({ curl: '1-1' }));

  test.each([
    ['trivy', '{"SchemaVersion":2,"Results":[{"Class":"os-pkgs"}]}', ['sbom', '--quiet', '--format', 'json']],
    ['grype', '{"matches":[],"distro":{"name":"debian"}}', ['--quiet', '--output', 'json']],
  ] as const)('%s is handed the bill of materials', async (scanner, answer, flags) => {
    const { calls, ctx } = hostOf(answer);
    expect(await scanWith(scanner, inventory(), ctx)).toEqual({ vulnerabilities: [] });
    expect(calls[0]?.args).toEqual(expect.arrayContaining([...flags]));
    expect(calls[0]?.sbom.components?.map((c) => c.name)).toEqual(['debian', 'curl']);
  });

  test.each([
    ['trivy', '{"SchemaVersion":2,"Results":[{"Class":"lang-pkgs"}]}'],
    ['grype', '{"matches":[],"distro":{"name":""}}'],
  ] as const)('%s that leaves out the packages of the distribution is an error', async (scanner, answer) => {
    await expect(scanWith(scanner, inventory(), hostOf(answer).ctx)).rejects.toThrow(
      'leaves out the 1 packages of debian 12',
    );
  });

  test('the date of the database is that of its making', async () => {
    const [built, later] = ['2026-03-01T00:00:00Z', '2026-03-09T00:00:00Z'];
    const report = '{"SchemaVersion":2,"Results":[{"Class":"os-pkgs"}]}';
    const version = JSON.stringify({ VulnerabilityDB: { UpdatedAt: built, DownloadedAt: later } });
    const { ctx } = hostOf(report, version);
    expect(await scanWith('trivy', inventory(), ctx)).toEqual({ vulnerabilities: [], date: built });
    vi.stubEnv('TRIVY_SERVER', 'http://127.0.0.1:1');
    expect(await scanWith('trivy', inventory(), ctx)).toEqual({ vulnerabilities: [] });
    vi.unstubAllEnvs();
    for (const db of [{ status: { built } }, { built }])
      expect(dateOfGrype(JSON.stringify({ descriptor: { db } }))).toBe(built);
    expect(dateOfGrype('{}')).toBeUndefined();
  });

  test('that is not there is an error', async () => {
    await expect(scanWith('trivy', inventory(), hostOf(undefined).ctx)).rejects.toThrow('trivy is needed');
  });
});
