import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareDebianVersions } from '../../../src/scan/versions/debian.ts';
import { debianPair } from './debian-versions.ts';

const PAIRS = 10_000;

test(`agrees with dpkg --compare-versions about ${PAIRS} generated pairs`, () => {
  const pairs = fc.sample(debianPair, { numRuns: PAIRS, seed: 20_261 });
  const relation = (order: number): string => (order < 0 ? 'lt' : order > 0 ? 'gt' : 'eq');
  const orders = pairs.map(([a, b]) => relation(compareDebianVersions(a, b)));
  const dir = mkdtempSync(join(tmpdir(), 'versions-'));
  try {
    const list = join(dir, 'pairs');
    writeFileSync(list, pairs.map(([a, b], i) => `${a} ${orders[i]} ${b}\n`).join(''));
    // One shell for all: dpkg itself says whether our answer holds. What it calls a bad version goes to standard error.
    const script = `while read -r a op b; do dpkg --compare-versions "$a" "$op" "$b" || echo "$a $op $b"; done <"$1"`;
    const disagreements = execFileSync('sh', ['-c', script, 'sh', list], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    expect(disagreements).toBe('');
  } finally {
    rmSync(dir, { recursive: true });
  }
  // The sample must reach every answer, or it proves little.
  for (const each of ['lt', 'gt', 'eq']) expect(orders.filter((o) => o === each).length).toBeGreaterThan(200);
});
