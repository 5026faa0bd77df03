import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/core/digest.ts';
import type { Lock } from '../../src/core/lock.ts';
import { formatLock, parseLock, readLock, writeLock } from '../../src/plan/lock-file.ts';

const pkg = {
  name: 'nginx',
  version: '1.22.1-9',
  architecture: 'amd64',
  sha256: 'a'.repeat(64),
  size: 10,
  filename: 'pool/main/n/nginx/nginx_1.22.1-9_amd64.deb',
  archive: 'debian',
};
const lock: Lock = {
  version: 1,
  entries: {
    'mmdebstrap.web': {
      kind: 'apt',
      request: sha256('request'),
      suites: [
        {
          archive: 'debian',
          suite: 'bookworm',
          components: ['main'],
          inRelease: sha256('in'),
          date: 1_700_000_000,
        },
      ],
      packages: [pkg],
      tools: [],
    },
    'file.iso': { kind: 'file', sha256: 'b'.repeat(64), size: 7 },
  },
};

describe('lock file', () => {
  test('what is written is read again, and written the same', () => {
    const text = formatLock(lock);
    expect(parseLock(text, 'x')).toEqual(lock);
    expect(formatLock(parseLock(text, 'x'))).toBe(text);
    expect(text.split('\n').filter((l) => l.includes('nginx'))).toHaveLength(1);
  });

  test('a missing file is an empty lock; writing is whole', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'ingot-lock-'));
    try {
      const path = join(dir, 'ingot.lock.json');
      expect((await readLock(path)).entries).toEqual({});
      await writeLock(path, lock);
      expect(await readLock(path)).toEqual(lock);
      expect(readdirSync(dir)).toEqual(['ingot.lock.json']);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  const broken = (change: object) =>
    JSON.stringify({ version: 1, entries: { a: { ...lock.entries['mmdebstrap.web'], ...change } } });
  test.each([
    ['no JSON', '{'],
    ['another version', '{"version":2,"entries":{}}'],
    ['no entries', '{"version":1}'],
    ['null', 'null'],
    ['an unknown kind', '{"version":1,"entries":{"a":{"kind":"x"}}}'],
    ['a bad package hash', broken({ packages: [{ ...pkg, sha256: 'zz' }] })],
    ['a path that leads out', broken({ packages: [{ ...pkg, filename: '../../etc/passwd' }] })],
    ['no suites', broken({ suites: [] })],
    ['a null package', broken({ packages: [null] })],
  ])('%s is refused by name of the file', (_what, text) => {
    expect(() => parseLock(text, '/t/ingot.lock.json')).toThrow(
      /\/t\/ingot\.lock\.json is not a usable lock/,
    );
  });

  test('__proto__ as a key pollutes nothing', () => {
    const parsed = parseLock(
      '{"version":1,"entries":{"__proto__":{"kind":"file","sha256":"x","size":1}}}',
      'x',
    );
    expect(({} as { kind?: string }).kind).toBeUndefined();
    expect(Object.keys(parsed.entries)).toEqual(['__proto__']);
  });
});
