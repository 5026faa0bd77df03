import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256 } from '../../src/core/digest.ts';
import { openRootfs } from '../../src/host/rootfs.ts';
import { gitVersion } from '../../src/stamp/git-version.ts';
import { clampPasswordDates } from '../../src/stamp/password-dates.ts';
import { type Stamp, stampAnnotations, stampImage, validateImageVersion } from '../../src/stamp/index.ts';

const commit = '1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d';

describe('gitVersion', () => {
  test.each([
    [{}, '0.0.0-untracked'],
    [{ commit }, '0.0.0-dev.g1a2b3c4'],
    [{ commit, dirty: true }, '0.0.0-dev.g1a2b3c4.dirty'],
    [{ commit, describe: 'release-1.2.0-0-g1a2b3c4' }, '1.2.0'],
    [{ commit, describe: 'release-1.2.0-5-g1a2b3c4' }, '1.2.1-dev.5.g1a2b3c4'],
    [{ commit, dirty: true, describe: 'release-1.2.0-0-g1a2b3c4' }, '1.2.1-dev.0.g1a2b3c4.dirty'],
    [{ commit, describe: 'release-2024-rc-0-g1a2b3c4' }, '2024-rc'],
    [{ commit, describe: 'release-7-3-g1a2b3c4' }, '7.1-dev.3.g1a2b3c4'],
    [{ commit, describe: 'release-1.2.0-rc.1-3-g1a2b3c4' }, '1.2.0-rc.1.dev.3.g1a2b3c4'],
    [{ commit, describe: 'release-1.2.0-RC1+b5-0-g1a2b3c4' }, '1.2.0-rc1-b5'],
    [{ commit, describe: 'release-+-0-g1a2b3c4' }, '0.0.0-dev.g1a2b3c4'],
    [{ commit, describe: 'v1.0-0-gabc' }, '0.0.0-dev.g1a2b3c4'],
  ])('%j → %s', (state, version) => expect(gitVersion(state)).toEqual({ version }));

  test('whatever the tag, the version can be stamped', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), fc.nat(), fc.boolean(), (tag, distance, dirty) => {
        const describe = `release-${tag}-${distance}-g1a2b3c4`;
        validateImageVersion(gitVersion({ commit, dirty, describe }).version);
      }),
    );
  });
});

describe('stampImage', () => {
  let dir: string;
  const stamp: Stamp = {
    name: 'web',
    version: '1.2.0',
    gitCommit: commit,
    dirty: false,
    templateDigest: sha256('t'),
    lockDigest: sha256('l'),
    epoch: 1_700_000_000,
  };
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'ingot-stamp-'));
    mkdirSync(join(dir, 'usr/lib'), { recursive: true });
    mkdirSync(join(dir, 'etc'));
    writeFileSync(join(dir, 'usr/lib/os-release'), 'ID=debian\nIMAGE_ID="old"\n');
    symlinkSync('../usr/lib/os-release', join(dir, 'etc/os-release'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  test('os-release gets both fields once, and keeps its link', () => {
    stampImage(openRootfs(dir), stamp);
    stampImage(openRootfs(dir), stamp);
    expect(readFileSync(join(dir, 'etc/os-release'), 'utf8')).toBe(
      'ID=debian\nIMAGE_ID="web"\nIMAGE_VERSION="1.2.0"\n',
    );
  });

  test('an /etc/os-release of its own is stamped too', () => {
    rmSync(join(dir, 'etc/os-release'));
    writeFileSync(join(dir, 'etc/os-release'), 'ID=mine\nconstructor=1');
    stampImage(openRootfs(dir), stamp);
    expect(readFileSync(join(dir, 'etc/os-release'), 'utf8')).toBe(
      'ID=mine\nconstructor=1\nIMAGE_ID="web"\nIMAGE_VERSION="1.2.0"\n',
    );
    expect(readFileSync(join(dir, 'usr/lib/os-release'), 'utf8')).toContain('IMAGE_VERSION="1.2.0"');
  });

  test('values are quoted as a shell reads them, and ids fit os-release', () => {
    const name = 'My "web" $(id) `x`\nEVIL=1';
    stampImage(openRootfs(dir), { ...stamp, name });
    const read = (file: string, key: string): string =>
      execFileSync('sh', ['-c', `. "$0"; printf %s "$${key}"`, join(dir, file)], { encoding: 'utf8' });
    expect(read('etc/image-release', 'NAME')).toBe(name.replace('\n', ' '));
    expect(read('etc/image-release', 'EVIL')).toBe('');
    expect(read('etc/os-release', 'IMAGE_ID')).toMatch(/^[a-z0-9._-]+$/);
  });

  test('image-release says where the image comes from', () => {
    stampImage(openRootfs(dir), stamp);
    const text = readFileSync(join(dir, 'etc/image-release'), 'utf8');
    expect(text).toContain(`GIT_COMMIT="${commit}"\n`);
    expect(text).toContain('BUILD_DATE="2023-11-14T22:13:20Z"\n');
    expect(text).toContain(`LOCK_DIGEST="${sha256('l')}"\n`);
  });

  test.each(['', '1 2', '1.0"\nEVIL=1', 'A', '-1', 'x'.repeat(101)])(
    'the version %j is refused',
    (version) => {
      expect(() => stampImage(openRootfs(dir), { ...stamp, version })).toThrow(/cannot be stamped/);
    },
  );

  test('annotations use the keys of the OCI', () => {
    expect(stampAnnotations(stamp)).toMatchObject({
      'org.opencontainers.image.version': '1.2.0',
      'org.opencontainers.image.revision': commit,
      'org.opencontainers.image.created': '2023-11-14T22:13:20Z',
    });
  });
});

describe('days of password changes', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'ingot-stamp-'));
    mkdirSync(join(dir, 'etc'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  test.each([
    ['today', 'joe:!:20778:0:99999:7:::', 'joe:!:100:0:99999:7:::'],
    ['the day of the epoch', 'joe:!:100::::::', 'joe:!:100::::::'],
    ['an earlier day', 'joe:!:99::::::', 'joe:!:99::::::'],
    ['must be changed', 'joe:!:0:0:99999:7:::', 'joe:!:0:0:99999:7:::'],
    ['none', 'joe:*:::::::', 'joe:*:::::::'],
    ['a day of expiry is no day of change', 'joe:!:1::::30:20778:', 'joe:!:1::::30:20778:'],
    ['no entry', '# 20778', '# 20778'],
  ])('%s', (_what, line, expected) => {
    const path = join(dir, 'etc/shadow');
    writeFileSync(path, `root:*:1::::::\n${line}\n`, { mode: 0o640 });
    clampPasswordDates(openRootfs(dir), 100 * 86_400 + 5);
    expect(readFileSync(path, 'utf8')).toBe(`root:*:1::::::\n${expected}\n`);
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });
});
