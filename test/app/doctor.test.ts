import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { doctor } from '../../src/app/doctor.ts';
import { packageRoot } from '../../src/app/package-root.ts';
import { isInstalled, parseSystemPackages, systemPackages } from '../../src/app/system-packages.ts';

test('the list is read: package, probe, purpose', () => {
  expect(parseSystemPackages('# x\n\nzstd   zstd  compresses things\n')).toEqual([
    { name: 'zstd', probe: 'zstd', purpose: 'compresses things' },
  ]);
  expect(() => parseSystemPackages('zstd zstd')).toThrowError(/expected package, probe and purpose/);
});

test('packages of the test suite are no concern of a user', () => {
  const names = systemPackages().map(({ name }) => name);
  expect(names).toContain('mmdebstrap');
  expect(names).not.toContain('packer');
});

test('a probe is a command on the PATH that may be run, or a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ingot-doctor-'));
  try {
    const tool = join(folder, 'some-tool-of-ours');
    writeFileSync(tool, '');
    const entry = { name: 'x', probe: 'some-tool-of-ours', purpose: '' };
    expect(isInstalled(entry, folder)).toBe(false);
    expect(isInstalled({ ...entry, probe: tool }, '/nonexistent')).toBe(true);
    chmodSync(tool, 0o755);
    expect(isInstalled(entry, folder)).toBe(true);
    expect(isInstalled(entry, '/nonexistent')).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('names what is missing, and one command that installs it', async () => {
  const report = await doctor({ HOME: tmpdir() }, '/nonexistent');
  expect(report.checks.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['node', 'root', 'disk', 'zstd']),
  );
  expect(report.missing).toContain('qemu-utils');
  expect(report.install).toMatch(/^apt-get update && apt-get install -y .*qemu-utils/);
  expect(report.ok).toBe(false);
  expect(report.missing).not.toContain('debian-archive-keyring');
});

test('has every package that a missing tool is said to be in', () => {
  const listed = systemPackages().map(({ name }) => name);
  const onEverySystem = ['apt', 'dpkg', 'gpgv'];
  const table = /const PACKAGES[^{]*\{([^}]*)\}/.exec(
    readFileSync(join(packageRoot(), 'src/host/tools.ts'), 'utf8'),
  );
  const named = [...(table?.[1] ?? '').matchAll(/: '([\w.+-]+)',/g)].map((match) => match[1] as string);
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => !listed.includes(name) && !onEverySystem.includes(name))).toEqual([]);
});
