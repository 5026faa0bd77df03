import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Context } from '../../../src/core/context.ts';
import { createHost } from '../../../src/host/index.ts';
import { residueChecks, searchResidue } from '../../../src/scan/residue.ts';
import { UnpackBudget } from '../../../src/scan/residue/unpack-budget.ts';

const SECRETS = [{ name: 'var.token', value: 'correct-horse-battery' }];
let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'ingot-residue-'))));
afterEach(() => rmSync(dir, { recursive: true }));

const CLEAN = { name: 'var.token', status: 'clean', places: [] } as const;

describe('what is said of the search', () => {
  test('a clean image passes', () => {
    expect(residueChecks({ secrets: [CLEAN], complete: true }, undefined)).toEqual([
      { name: 'var.token', passed: true },
    ]);
  });

  test('one that was not searched to its end fails, unless a reason is given', () => {
    const [, check] = residueChecks({ secrets: [CLEAN], complete: false }, undefined);
    expect(check).toMatchObject({ name: 'packed content', passed: false });
    expect(check?.message).toMatch(/not searched to its end.*allow_incomplete.*\[residue\/not-unpacked\]$/);
    expect(residueChecks({ secrets: [CLEAN], complete: false }, 'measurements')[1]).toEqual({
      name: 'packed content',
      passed: true,
      message: expect.stringMatching(/not searched to its end; allowed: measurements$/),
    });
  });

  test('a reason excuses no secret that was found', () => {
    const found = { name: 'var.token', status: 'found', places: ['as it is in /etc/motd'] } as const;
    expect(residueChecks({ secrets: [found], complete: false }, 'measurements')[0]?.passed).toBe(false);
  });
});

test.each([
  [1 << 20, false],
  [1 << 30, true],
])('an image with more packed content than %i bytes: searched to its end is %s', async (most, complete) => {
  const bomb = execFileSync('zstd', ['-c'], { input: Buffer.alloc(4 << 20), maxBuffer: 1 << 30 });
  writeFileSync(join(dir, 'bomb.zst'), bomb);
  const host = createHost({ leaseDir: join(dir, 'leases') });
  const ctx = { host, signal: new AbortController().signal } as unknown as Context;
  const result = await searchResidue(SECRETS, { dir }, ctx, new UnpackBudget(most, most));
  expect(result).toMatchObject({ complete, secrets: [CLEAN] });
});
