import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRootfs } from '../../src/host/rootfs.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-rootfs-'));
  mkdirSync(join(dir, 'image/etc'), { recursive: true });
  writeFileSync(join(dir, 'outside'), 'host');
});
afterEach(() => rmSync(dir, { recursive: true }));

const root = () => openRootfs(join(dir, 'image'));

describe('links of an image never lead out of it', () => {
  test.each(['/etc/link', '/etc/../etc/link', '/../../etc/link'])('%s', (path) => {
    symlinkSync(join(dir, 'outside'), join(dir, 'image/etc/link'));
    expect(root().exists(path)).toBe(false);
    expect(() => root().readText(path)).toThrow(/not in the image/);
    expect(() => root().write(path, 'guest')).toThrow();
    expect(readFileSync(join(dir, 'outside'), 'utf8')).toBe('host');
  });

  test('an absolute target starts at the image', () => {
    symlinkSync('/etc/hostname', join(dir, 'image/link'));
    root().write('/link', 'guest');
    expect(readFileSync(join(dir, 'image/etc/hostname'), 'utf8')).toBe('guest');
  });

  test('a linked folder is removed as a link', () => {
    mkdirSync(join(dir, 'kept'));
    writeFileSync(join(dir, 'kept/file'), '');
    symlinkSync('../../../kept', join(dir, 'image/etc/linked'));
    root().remove('/etc/linked');
    expect(existsSync(join(dir, 'kept/file'))).toBe(true);
    expect(root().lstat('/etc/linked')).toBeUndefined();
  });

  test('a loop is an error, not a hang', () => {
    symlinkSync('b', join(dir, 'image/a'));
    symlinkSync('a', join(dir, 'image/b'));
    expect(() => root().exists('/a')).toThrow(/more than 40/);
  });

  test('whatever the path, the host path stays below the root', () => {
    symlinkSync('/', join(dir, 'image/top'));
    symlinkSync('../../..', join(dir, 'image/up'));
    const part = fc.constantFrom('..', '.', '', 'etc', 'top', 'up', 'new');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const path = root().hostPath(`/${parts.join('/')}`);
        expect(`${path}/`.startsWith(join(dir, 'image/'))).toBe(true);
      }),
    );
  });
});

test('glob: names sorted, hidden ones too, brackets and double stars', () => {
  for (const name of ['b1', 'a1', '.a2', 'a3x']) writeFileSync(join(dir, 'image/etc', name), '');
  mkdirSync(join(dir, 'image/etc/deep/er'), { recursive: true });
  writeFileSync(join(dir, 'image/etc/deep/er/a1'), '');
  expect(root().glob('/etc/*[12]')).toEqual(['/etc/.a2', '/etc/a1', '/etc/b1']);
  expect(root().glob('/etc/a?')).toEqual(['/etc/a1']);
  expect(root().glob('/**/a1')).toEqual(['/etc/a1', '/etc/deep/er/a1']);
  expect(root().glob('/nowhere/*')).toEqual([]);
});
