import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createHost } from '../../../src/host/index.ts';
import { takeInventory } from '../../../src/scan/packages/inventory.ts';
import { scanWith } from '../../../src/scan/vulnerabilities/external.ts';
import { grype, output } from '../../secrets/real-tools.ts';
import { debianImage } from '../image-tree.ts';

const tool = grype();

describe.skipIf(tool.missing)(`grype 0.110${tool.missing ? ` (skipped: ${tool.missing})` : ''}`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'ingot-grype-'));
  beforeAll(() => {
    const entry = (id: string, name: string, fixed: string, severity: string) => ({
      ID: id,
      Package: name,
      Constraint: fixed === '' ? '' : `< ${fixed}`,
      Fixed: fixed,
      Severity: severity,
    });
    const entries = [
      entry('CVE-2026-1', 'curl', '7.88.1-10+deb12u9', 'high'),
      entry('CVE-2026-2', 'curl', '7.88.1-10+deb12u5', 'critical'),
      entry('CVE-2026-3', 'zlib', '', 'low'),
      entry('CVE-2026-4', 'other', '', 'high'),
    ];
    output(`${tool.path}-database`, [join(dir, 'database')], { input: JSON.stringify(entries) });
    vi.stubEnv('GRYPE_DB_CACHE_DIR', join(dir, 'database'));
    vi.stubEnv('GRYPE_DB_AUTO_UPDATE', 'false');
    vi.stubEnv('GRYPE_CHECK_FOR_APP_UPDATE', 'false');
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(dir, { recursive: true });
  });

  test('finds in our bill of materials what its database knows of the packages of Debian 12', async () => {
    const host = { ...createHost({ leaseDir: join(dir, 'leases') }), requireTool: () => tool.path };
    const image = debianImage({ curl: '7.88.1-10+deb12u8', zlib1g: '1:1.2.13.dfsg-1 zlib' });
    const ctx = { host, workDir: dir, epoch: 1, signal: new AbortController().signal };
    const { vulnerabilities, date } = await scanWith('grype', takeInventory(image), ctx);
    expect(Date.now() - Date.parse(date ?? '')).toBeLessThan(600_000);
    expect(vulnerabilities.map((v) => [v.id, v.name, v.state, v.fixed, v.urgency])).toEqual([
      ['CVE-2026-1', 'curl', 'fixable', '7.88.1-10+deb12u9', 'high'],
      ['CVE-2026-3', 'zlib1g', 'unfixed', undefined, 'low'],
    ]);
  });
});
