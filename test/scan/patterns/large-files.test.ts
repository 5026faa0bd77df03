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

const KEY = `-----BEGIN PRIVATE KEY-----\n${'MIIEvQ'.repeat(20)}\n-----END PRIVATE KEY-----\n`;
const PIECE = 32 << 20;
const SHARED = 64 << 10;

/** Writes texts at places of a sparse file that begins as a text. */
function sparse(path: string, size: number, texts: readonly (readonly [at: number, text: string])[]): void {
  const file = openSync(path, 'w');
  writeSync(file, `${'a line of a log\n'.repeat(1000)}`);
  for (const [at, text] of texts) writeSync(file, text, at);
  closeSync(file);
  truncateSync(path, size);
}

async function searched(dir: string) {
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
  return { ...result, notes };
}

test('a large log is searched to its end, also where two pieces of it meet', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'ingot-large-'));
  try {
    const end = 3 * PIECE;
    sparse(join(dir, 'huge.log'), end, [
      [PIECE - 10, `\n${KEY}`],
      [2 * (PIECE - SHARED) - 20, `\n${KEY}`],
      [end - KEY.length, KEY],
    ]);
    symlinkSync('/dev/zero', join(dir, 'endless'));
    symlinkSync('.', join(dir, 'loop'));
    const { findings, tooLarge } = await searched(dir);
    // Of 1,000 lines, one end before each of the first two keys, and three of each key.
    expect(findings.map(({ path, line }) => [path, line])).toEqual([
      ['/huge.log', 1002],
      ['/huge.log', 1006],
      ['/huge.log', 1009],
    ]);
    expect(tooLarge).toEqual([]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a text of more than 16 GiB is named as not searched', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'ingot-large-'));
  try {
    sparse(join(dir, 'huge.log'), 16 * 1024 ** 3 + 1, []);
    writeFileSync(join(dir, 'key'), KEY);
    const { findings, tooLarge, notes } = await searched(dir);
    expect(tooLarge).toEqual(['/huge.log']);
    expect(notes).toEqual(['/huge.log is larger than 16 GiB and was not searched']);
    expect(findings.map(({ path }) => path)).toEqual(['/key']);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
