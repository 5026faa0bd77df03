import {
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { searchPatterns } from '../../../src/scan/patterns.ts';

test('a log of 1 GB is named as not searched, a device behind a link is not opened, and the rest is searched', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'ingot-large-'));
  try {
    const file = openSync(join(dir, 'huge.log'), 'w');
    writeSync(file, `${'a line of a log\n'.repeat(1000)}`);
    closeSync(file);
    truncateSync(join(dir, 'huge.log'), 1024 ** 3);
    symlinkSync('/dev/zero', join(dir, 'endless'));
    symlinkSync('.', join(dir, 'loop'));
    writeFileSync(
      join(dir, 'key'),
      `-----BEGIN PRIVATE KEY-----\n${'MIIEvQ'.repeat(20)}\n-----END PRIVATE KEY-----\n`,
    );
    const notes: string[] = [];
    const result = await searchPatterns(
      dir,
      { rules: undefined, allow: {} },
      {
        templateDir: dir,
        signal: new AbortController().signal,
        step: 'test.secrets',
        emit: (event) => void (event.type === 'step:log' && notes.push(event.line)),
      },
    );
    expect(result.tooLarge).toEqual(['/huge.log']);
    expect(notes).toEqual(['/huge.log is larger than 32 MiB and was not searched']);
    expect(result.findings.map(({ path }) => path)).toEqual(['/key']);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
