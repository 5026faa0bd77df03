import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VOLUMES, without } from './volumes.ts';

// Images that are broken, huge, encrypted or hostile, through the command line: a clear result, never a crash, never a
// pass by accident, and nothing of the host is read or run.

const INGOT = fileURLToPath(new URL('../../bin/ingot', import.meta.url));
const MIB = 1024 * 1024;
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-bad-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function ingot(...args: string[]) {
  const env = { ...process.env, INGOT_CACHE_DIR: join(dir, 'cache'), NO_COLOR: '1' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [INGOT, ...args], { env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

function goss(image: string, yaml: string, ...args: string[]) {
  const file = join(dir, 'goss.yaml');
  writeFileSync(file, yaml);
  return ingot('test', image, '--goss', file, '--no-boot', ...args);
}

/** Outcome of each check by name, with the message of those that failed. */
function outcomes(image: string, yaml: string): Record<string, string> {
  const { stdout } = goss(image, yaml, '--format', 'json');
  const { results } = JSON.parse(stdout) as {
    results: { 'resource-id': string; property: string; successful: boolean; 'summary-line': string }[];
  };
  return Object.fromEntries(
    results.map((r) => [`${r['resource-id']} ${r.property}`, r.successful ? 'pass' : r['summary-line']]),
  );
}

function sparse(
  name: string,
  size: number,
  ...parts: readonly (readonly [offset: number, data: string | Buffer])[]
) {
  const path = join(dir, name);
  const file = openSync(path, 'w');
  for (const [offset, data] of parts) {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
    writeSync(file, bytes, 0, bytes.length, offset);
  }
  closeSync(file);
  truncateSync(path, size);
  return path;
}

/** A disk with one partition from the first MiB on. */
function partitioned(name: string, ...parts: readonly (readonly [offset: number, data: string | Buffer])[]) {
  const path = sparse(name, 32 * MIB, ...parts.map(([at, data]) => [MIB + at, data] as const));
  execFileSync('sfdisk', ['--quiet', path], { input: 'label: gpt\nstart=1MiB\n' });
  return path;
}

const ANY = 'file: {/etc/passwd: {exists: false}}';

describe('a disk without a root that can be mounted', () => {
  test.each<[string, () => string, RegExp]>([
    ['encrypted', () => partitioned('luks.raw', [0, 'LUKS\xba\xbe\0\x02']), /LUKS/],
    ['with LVM', () => partitioned('lvm.raw', [512, 'LABELONE']), /LVM/],
    ['with btrfs', () => partitioned('btrfs.raw', [0x10040, '_BHRfS_M']), /btrfs/],
    ['with a filesystem that nobody knows', () => partitioned('odd.raw', [0, 'oddfs 1.0']), /nothing known/],
    ['that is empty', () => sparse('empty.raw', 32 * MIB), /nothing known/],
    ['of no bytes', () => sparse('none.raw', 0), /nothing known|cannot be|could not/],
    ['that is only text', () => sparse('text.raw', 5000, [0, 'hello']), /nothing known/],
    ['cut off', () => sparse('cut.qcow2', 100, [0, 'QFI\xfb\0\0\0\x03']), /./],
  ])('%s is refused, and says what is there', (_, make, message) => {
    const { status, stdout, stderr } = goss(make(), ANY);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/internal\/|at .*\.(?:ts|js):\d/);
    expect(status).toBe(1);
  });

  test.each([
    ['sbom', (luks: string) => ['sbom', luks]],
    ['diff', (luks: string) => ['diff', luks, dir]],
    ['test --exec', (luks: string) => ['test', luks, '--exec', 'true']],
    ['test --add', (luks: string) => ['test', luks, '--add', 'package', 'nginx']],
  ])('an encrypted one is refused by ingot %s', (_, verb) => {
    const { status, stdout, stderr } = ingot(...verb(partitioned('luks.raw', [0, 'LUKS\xba\xbe\0\x02'])));
    // A bill of materials is JSON, and so are the reasons why there is none.
    expect(stdout).toMatch(verb('')[0] === 'sbom' ? /disk\/no-root/ : /^$/);
    expect(stderr).toMatch(/found LUKS/);
    expect(status).toBe(1);
  });

  test.each([
    ['whose table of inodes is damaged', 4096, 16 * MIB],
    ['whose superblock is damaged behind its mark', 1024 + 64, 512],
  ])('with an ext4 %s', (_, offset, length) => {
    const root = join(dir, `damaged-${offset}`);
    mkdirSync(join(root, 'etc'), { recursive: true });
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
    const path = sparse('damaged.raw', 32 * MIB);
    execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', root, path]);
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(length, 0xff), 0, length, offset);
    closeSync(file);
    const { status, stdout, stderr } = goss(path, 'file: {/etc/passwd: {exists: false}}');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^error: /);
    expect(stderr).not.toMatch(/internal\//);
  });
});

/** A disk with a partition for each file, in their order. */
function diskOf(name: string, ...files: readonly string[]): string {
  const path = join(dir, name);
  let at = MIB;
  const table = ['label: gpt'];
  for (const file of files) {
    const { size } = statSync(file);
    execFileSync('dd', [`if=${file}`, `of=${path}`, 'bs=1M', `seek=${at / MIB}`, 'conv=sparse,notrunc'], {
      stdio: 'pipe',
    });
    table.push(`start=${at / MIB}MiB,size=${size / MIB}MiB`);
    at += size;
  }
  truncateSync(path, at + MIB);
  execFileSync('sfdisk', ['--quiet', path], { input: `${table.join('\n')}\n` });
  return path;
}

/** An ext4 of `mib` MiB with empty files of these names. */
function ext4(name: string, mib: number, ...paths: readonly string[]): string {
  const root = join(dir, `${name}.files`);
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), '');
  }
  const path = sparse(name, mib * MIB);
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', root, path]);
  return path;
}

describe.each(VOLUMES)('a disk whose root lies in $name', ({ name, found, tool, from, make }) => {
  const reason = without(tool, from);
  let alone: string;
  let installed: string;

  beforeAll(() => {
    if (reason) return;
    const volume = sparse(`${name}.volume`, 128 * MIB);
    make(volume);
    alone = diskOf(`${name}-alone.raw`, volume);
    installed = diskOf(`${name}-beside.raw`, ext4('boot.ext4', 24, 'vmlinuz-6.1.0', 'grub/grub.cfg'), volume);
  });

  test.skipIf(reason)(`is refused${reason}`, () => {
    const { status, stdout, stderr } = goss(alone, ANY);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(`no ext4 or xfs filesystem for a root; found ${found} \\[disk/no-root\\]`),
    );
  });

  test.skipIf(reason).each([
    ['test', () => ['test', installed, '--goss', join(dir, 'goss.yaml'), '--no-boot']],
    ['test --add', () => ['test', installed, '--add', 'package', 'nginx']],
    ['sbom', () => ['sbom', installed]],
    ['diff', () => ['diff', installed, dir]],
  ])(`its /boot beside it is not taken for the root by ingot %s${reason}`, (_, verb) => {
    writeFileSync(join(dir, 'goss.yaml'), ANY);
    const { status, stdout, stderr } = ingot(...verb());
    expect(stdout).toMatch(verb()[0] === 'sbom' ? /disk\/no-root/ : /^$/);
    expect(stderr).toMatch(
      new RegExp(`has ext4 without a system, as a /boot is; its root may lie in ${found} `),
    );
    expect(stderr).toMatch(/hint: .*engine "vm".*take the folder where you have mounted one/);
    expect(status).toBe(1);
  });

  test.skipIf(reason)(`is not booted into nothing${reason}`, () => {
    const { status, stderr } = ingot('boot', installed);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/^error: /) });
  });
});

const noXfs = without('mkfs.xfs', 'xfsprogs');

test.skipIf(noXfs)(
  `of several filesystems the one with a system is the root, not the largest${noXfs}`,
  () => {
    const passwd = join(dir, 'passwd');
    writeFileSync(passwd, 'root:x:0:0:root:/root:/bin/sh\n');
    // mkfs.xfs(8), -p: a boot file's name and a size that are not used, then the tree; $ ends a folder.
    const tree = [
      '-',
      '0 0',
      'd--755 0 0',
      'etc d--755 0 0',
      `passwd ---644 0 0 ${passwd}`,
      '$',
      'usr d--755 0 0',
      '$',
      '$',
    ];
    writeFileSync(join(dir, 'tree'), `${tree.join('\n')}\n`);
    const xfs = sparse('root.xfs', 304 * MIB);
    execFileSync('mkfs.xfs', ['-q', '-p', join(dir, 'tree'), xfs]);
    const disk = diskOf(
      'home.raw',
      ext4('home.ext4', 400, 'anna/notes'),
      xfs,
      ext4('boot.ext4', 24, 'vmlinuz-6.1.0'),
    );
    expect(
      outcomes(disk, 'file: {/etc/passwd: {exists: true, contents: [root]}, /anna: {exists: false}}'),
    ).toEqual({
      '/anna exists': 'pass',
      '/etc/passwd contents': 'pass',
      '/etc/passwd exists': 'pass',
    });
  },
);

describe('an image whose files are traps', () => {
  let image: string;

  beforeAll(() => {
    const root = join(dir, 'root');
    const put = (path: string, data: string): void => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), data);
    };
    put('etc/os-release', 'ID=debian\nVERSION_ID=12\n');
    put('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n');
    put('etc/group', 'root:x:0:\n');
    put('var/lib/dpkg/status', 'Package: nginx\nStatus: install ok installed\nVersion: 1\n\ngarbage\n');
    put('var/log/huge.log', 'first line\n');
    truncateSync(join(root, 'var/log/huge.log'), 1024 * MIB);
    mkdirSync(join(root, 'usr/bin'), { recursive: true });
    writeFileSync(join(root, 'usr/bin/stat'), `#!/bin/sh\ntouch ${dir}/ran\n`, { mode: 0o755 });
    symlinkSync('loop-b', join(root, 'etc/loop-a'));
    symlinkSync('loop-a', join(root, 'etc/loop-b'));
    symlinkSync('../../../../../../../../etc/shadow', join(root, 'etc/shadow-of-the-host'));
    symlinkSync('../..', join(root, 'etc/up'));
    execFileSync('mknod', [join(root, 'etc/zero'), 'c', '1', '5']);
    execFileSync('mknod', [join(root, 'etc/disk'), 'b', '7', '0']);
    execFileSync('mkfifo', [join(root, 'etc/pipe')]);
    image = sparse('traps.raw', 2048 * MIB);
    execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', root, image]);
  });

  test('is checked, and what cannot be told fails by name', () => {
    const found = outcomes(
      image,
      `
file:
  /etc/loop-a: {exists: true, contents: [x]}
  /etc/shadow-of-the-host: {exists: true, contents: [root]}
  /etc/up/etc/os-release: {exists: true, contents: [ID=debian]}
  /etc/zero: {exists: true, filetype: character-device, contents: [x]}
  /etc/disk: {exists: true, filetype: block-device, sha256: x}
  /etc/pipe: {exists: true, filetype: pipe, md5: x}
  /var/log/huge.log: {exists: true, size: 1073741824, contents: [first line, "!password"]}
package: {nginx: {installed: true}, ghost: {installed: false}}
`,
    );
    const failed = (name: string) => found[name] ?? 'no such check';
    expect(failed('/etc/loop-a contents')).toMatch(/too many levels/);
    expect(failed('/etc/shadow-of-the-host contents')).toMatch(/no such file/);
    expect(failed('/etc/zero contents')).toMatch(/is a character-device/);
    expect(failed('/etc/disk sha256')).toMatch(/is a block-device/);
    expect(failed('/etc/pipe md5')).toMatch(/is a pipe/);
    expect(failed('/var/log/huge.log contents')).toMatch(/token too long/);
    expect(failed('nginx installed')).toMatch(/dpkg database is damaged/);
    expect(failed('ghost installed')).toMatch(/dpkg database is damaged/);
    const passed = Object.entries(found).filter(([, outcome]) => outcome === 'pass');
    expect(passed.map(([name]) => name).sort()).toEqual([
      '/etc/disk exists',
      '/etc/disk filetype',
      '/etc/loop-a exists',
      '/etc/pipe exists',
      '/etc/pipe filetype',
      '/etc/shadow-of-the-host exists',
      '/etc/up/etc/os-release contents',
      '/etc/up/etc/os-release exists',
      '/etc/zero exists',
      '/etc/zero filetype',
      '/var/log/huge.log exists',
      '/var/log/huge.log size',
    ]);
  }, 60_000);

  test('can be mutated all the same', () => {
    const yaml =
      'file: {/etc/zero: {exists: true, mode: "0644"}, /etc/loop-a: {exists: true}, /etc/pipe: {exists: true}}';
    const { status, stdout, stderr } = goss(image, yaml, '--mutate', '--json');
    expect(stderr).not.toMatch(/error/);
    expect(status).toBe(0);
    const { mutations } = JSON.parse(stdout) as { mutations: { change: string; noticed: boolean }[] };
    expect(mutations.filter((m) => m.noticed && m.change === 'removed')).toHaveLength(3);
  }, 60_000);

  test('has no bill of materials that would leave packages out', () => {
    const { status, stdout } = ingot('sbom', image);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      diagnostics: [expect.objectContaining({ code: 'scan/unreadable-packages', severity: 'error' })],
    });
  }, 60_000);

  test('ran nothing on the host', () => {
    expect(spawnSync('test', ['-e', join(dir, 'ran')]).status).toBe(1);
  });
});

test.each([
  ['an unknown key', 'file:\n  /etc/passwd:\n    exists: true\n    colour: red\n', /goss\.yaml:4:5/],
  ['bad YAML', 'file:\n  /etc/passwd: {exists: true\nuser: {}\n', /goss\.yaml:3/],
])('a goss file with %s ends with 78 and shows the line', (_, yaml, place) => {
  const { status, stdout, stderr } = goss(sparse('any.raw', MIB), yaml);
  expect({ status, stdout }).toEqual({ status: 78, stdout: '' });
  expect(stderr).toMatch(place);
});
