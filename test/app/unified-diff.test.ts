import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unifiedDiff } from '../../src/app/unified-diff.ts';

test('shows changes with three lines around them', () => {
  const before = 'a\nb\nc\nd\ne\nf\ng\nh\n';
  expect(unifiedDiff(before, before.replace('e\n', 'E\n'), 'old/x', 'new/x')).toBe(
    '--- old/x\n+++ new/x\n@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n',
  );
  expect(unifiedDiff(before, before, 'a', 'b')).toBe('');
});

test('patch(1) makes the new text of the old one, whatever the texts are', (ctx) => {
  const folder = mkdtempSync(join(tmpdir(), 'ingot-diff-'));
  const file = join(folder, 'text');
  try {
    execFileSync('patch', ['--version'], { stdio: 'ignore' });
  } catch {
    rmSync(folder, { recursive: true });
    ctx.skip('patch is not installed');
  }
  const texts = fc
    .array(fc.constantFrom('a', 'b', 'c', '', 'd  e'), { maxLength: 30 })
    .chain((lines) => fc.constantFrom(lines.join('\n'), `${lines.join('\n')}\n`))
    .filter((text) => text !== '');
  try {
    fc.assert(
      fc.property(texts, texts, (before, after) => {
        fc.pre(before !== after);
        writeFileSync(file, before);
        const input = unifiedDiff(before, after, 'text', 'text');
        execFileSync('patch', ['--quiet', '--no-backup-if-mismatch', '-p0', 'text'], { cwd: folder, input });
        expect(readFileSync(file, 'utf8')).toBe(after);
      }),
      { numRuns: 60 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
