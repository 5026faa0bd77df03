import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadProgram } from '../../src/cli/load-program.ts';

// Within one process V8 remembers scripts by their text, and would not look at what was kept.
setFlagsFromString('--no-compilation-cache');

let dir: string;
let file: string;
let cache: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-program-'));
  file = join(dir, 'program.cjs');
  cache = join(dir, 'cache');
  program('first');
});
afterEach(() => rmSync(dir, { recursive: true }));

/** A program as scripts/build.mjs writes one. */
function program(answer: string): void {
  const text = `(function (exports, require, module, __filename, __dirname) {
    exports.answer = () => ${JSON.stringify(answer)} + require('node:path').basename(__filename);
  })`;
  writeFileSync(file, `// ${createHash('sha256').update(text).digest('hex')}\n${text}`);
}

/** Runs the program, keeps what was compiled, and says whether that was needed. */
function runOnce(verb = 'validate'): { readonly answer: string; readonly reused: boolean } {
  const loaded = loadProgram(file, cache, verb);
  const answer = (loaded.exports as { answer: () => string }).answer();
  loaded.keep();
  return { answer, reused: loaded.reused };
}

const FIRST = 'firstprogram.cjs';

function keptFile(): string {
  const [name] = readdirSync(join(cache, 'code')) as [string];
  return join(cache, 'code', name, 'validate');
}

test('compiled code is kept for each verb and used the next time', () => {
  expect(runOnce()).toEqual({ answer: FIRST, reused: false });
  expect(runOnce()).toEqual({ answer: FIRST, reused: true });
  expect(runOnce('build')).toEqual({ answer: FIRST, reused: false });
});

test('another program of the same length is another program', () => {
  runOnce();
  program('other');
  expect(runOnce()).toEqual({ answer: 'otherprogram.cjs', reused: false });
});

test.each([
  ['damaged', (path: string) => writeFileSync(path, flipped(readFileSync(path)))],
  ['cut short', (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 100))],
  ['empty', (path: string) => writeFileSync(path, '')],
  ['of another V8', (path: string) => writeFileSync(path, foreign(readFileSync(path)))],
  ['writable for others', (path: string) => chmodSync(path, 0o666)],
])('code that is %s is not used, and made anew', (_what, spoil) => {
  runOnce();
  spoil(keptFile());
  expect(runOnce()).toEqual({ answer: FIRST, reused: false });
  expect(runOnce()).toEqual({ answer: FIRST, reused: true });
});

test('of older programs nothing stays', () => {
  for (const answer of ['1', '2', '3', '4', '5', '6']) {
    program(answer);
    runOnce();
  }
  expect(readdirSync(join(cache, 'code'))).toHaveLength(4);
  expect(runOnce()).toEqual({ answer: '6program.cjs', reused: true });
});

test('a cache that cannot be written is no error', () => {
  writeFileSync(cache, 'a file where the folder should be');
  expect(runOnce()).toEqual({ answer: FIRST, reused: false });
  expect(runOnce()).toEqual({ answer: FIRST, reused: false });
});

test('a verb that is no word leads nowhere', () => {
  expect(runOnce('../../escape')).toEqual({ answer: FIRST, reused: false });
  expect(runOnce('../../escape')).toEqual({ answer: FIRST, reused: false });
  expect(readdirSync(dir).sort()).toEqual(['program.cjs']);
});

function flipped(bytes: Buffer): Buffer {
  const at = bytes.length - 10;
  bytes[at] = (bytes[at] as number) ^ 0xff;
  return bytes;
}

/** With another version's hash in V8's header, and our own digest right. */
function foreign(bytes: Buffer): Buffer {
  const code = bytes.subarray(20);
  code[4] = (code[4] as number) ^ 0xff;
  return Buffer.concat([createHash('sha1').update(code).digest(), code]);
}
