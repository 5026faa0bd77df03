import {
  chmodSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compareTrees } from '../../src/store/compare-trees.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-trees-'));
  for (const side of ['a', 'b']) {
    mkdirSync(join(dir, side, 'etc'), { recursive: true });
    writeFileSync(join(dir, side, 'etc/passwd'), 'root');
    symlinkSync('passwd', join(dir, side, 'etc/link'));
    settle(side);
  }
});
afterEach(() => rmSync(dir, { recursive: true }));

function settle(side: string): void {
  lutimesSync(join(dir, side, 'etc/link'), 1, 1);
  utimesSync(join(dir, side, 'etc/passwd'), 1, 1);
  utimesSync(join(dir, side, 'etc'), 1, 1);
  utimesSync(join(dir, side), 1, 1);
}

const compare = () => compareTrees(join(dir, 'a'), join(dir, 'b'));

test('equal trees have no differences', () => expect(compare()).toEqual([]));

test.each<[string, () => void, object[]]>([
  [
    'content of the same length',
    () => writeFileSync(join(dir, 'b/etc/passwd'), 'toor'),
    [{ path: '/etc/passwd', what: ['content'] }],
  ],
  ['mode', () => chmodSync(join(dir, 'b/etc/passwd'), 0o600), [{ path: '/etc/passwd', what: ['mode'] }]],
  [
    'a file more',
    () => writeFileSync(join(dir, 'b/etc/new'), ''),
    [{ path: '/etc/new', what: ['only in the second'] }],
  ],
  [
    'a file less',
    () => rmSync(join(dir, 'b/etc/passwd')),
    [{ path: '/etc/passwd', what: ['only in the first'] }],
  ],
  [
    'another target',
    () => {
      rmSync(join(dir, 'b/etc/link'));
      symlinkSync('shadow', join(dir, 'b/etc/link'));
    },
    [{ path: '/etc/link', what: ['target'] }],
  ],
])('%s', (_what, change, expected) => {
  change();
  if (!_what.includes('less')) settle('b');
  else utimesSync(join(dir, 'b/etc'), 1, 1);
  expect(compare()).toEqual(expected);
});
