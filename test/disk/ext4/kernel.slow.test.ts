import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Tree } from '../../../src/disk/ext4/tree.ts';
import { readRoot } from '../../../src/disk/root-filesystem.ts';
import { createHost } from '../../../src/host/index.ts';
import { debugfs, describeTree, MIB, makeImage, remarks } from './image.ts';

const FIELDS = ['kind', 'mode', 'uid', 'gid', 'size', 'mtime', 'links', 'major', 'minor'] as const;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-ext4-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function read(top: string): Promise<Tree> {
  const host = createHost({ leaseDir: join(dir, 'leases') });
  return await readRoot([top], { host, signal: new AbortController().signal });
}

/** Mounts an image by a loop device of the whole file, and looks at what the kernel makes of it. */
async function mounted<T>(image: string, look: (at: string) => Promise<T> | T): Promise<T> {
  const at = mkdtempSync(join(dir, 'mount-'));
  execFileSync('mount', ['-o', 'loop,ro,noload', image, at]);
  try {
    return await look(at);
  } finally {
    execFileSync('umount', [at]);
  }
}

/** The kernel reads back exactly what went in, and e2fsck has nothing to say. */
async function survives(tree: Tree, image: string): Promise<void> {
  expect(remarks(image)).toEqual([]);
  await mounted(image, async (at) => {
    const back = await read(at);
    const found = describeTree(back, FIELDS);
    const want = describeTree(tree, FIELDS);
    // Root has one folder more.
    for (const facts of [found, want]) (facts[''] as { links: number }).links = 0;
    expect(found).toEqual(want);
  });
}

/** Attributes as setfattr(1) would set them. */
function setXattr(path: string, name: string, value: Buffer): void {
  const script =
    'require "syscall.ph"; my ($p, $n, $v) = ($ARGV[0], $ARGV[1], pack("H*", $ARGV[2])); syscall(&SYS_lsetxattr, $p, $n, $v, length $v, 0) == 0 or die "$!\\n"';
  execFileSync('perl', ['-e', script, path, name, value.toString('hex')]);
}

const acl = (...entries: readonly (readonly [tag: number, perm: number, id: number])[]): Buffer => {
  const value = Buffer.alloc(4 + entries.length * 8);
  value.writeUInt32LE(2);
  for (const [i, [tag, perm, id]] of entries.entries()) {
    value.writeUInt16LE(tag, 4 + i * 8);
    value.writeUInt16LE(perm, 6 + i * 8);
    value.writeUInt32LE(id >>> 0, 8 + i * 8);
  }
  return value;
};

describe('writeExt4, as the kernel reads it', () => {
  test('every kind of file, owners, modes, times, hard links, access lists, capabilities and long attributes', async () => {
    const top = join(dir, 'kinds');
    const at = (path: string) => join(top, path);
    mkdirSync(at('folder/deep/er'), { recursive: true });
    writeFileSync(at('ping'), 'program');
    chownSync(at('ping'), 70_000, 4_000_000_000);
    chmodSync(at('ping'), 0o4755);
    // cap_net_raw, effective and permitted (VFS_CAP_REVISION_2).
    setXattr(
      at('ping'),
      'security.capability',
      Buffer.from('0100000200200000000000000000000000000000', 'hex'),
    );
    setXattr(at('ping'), 'user.note', Buffer.from('some text'));
    setXattr(at('ping'), 'user.empty', Buffer.alloc(0));
    setXattr(at('ping'), 'user.long', Buffer.alloc(3000, 7));
    setXattr(at('ping'), 'trusted.b', Buffer.from('b'));
    chmodSync(at('folder'), 0o2775);
    const list = acl([1, 7, -1], [2, 6, 1234], [4, 5, -1], [8, 4, 5678], [0x10, 7, -1], [0x20, 5, -1]);
    setXattr(at('folder'), 'system.posix_acl_default', list);
    setXattr(at('folder'), 'system.posix_acl_access', list);
    linkSync(at('ping'), at('folder/same'));
    for (const [name, length] of [
      ['short', 1],
      ['most', 59],
      ['long', 60],
      ['longest', 4095],
    ] as const) {
      symlinkSync('l'.repeat(length), at(name));
      lutimesSync(at(name), 1_500_000_000, 1_500_000_000);
    }
    setXattr(at('short'), 'trusted.on-a-link', Buffer.from('x'));
    for (const [name, ...args] of [
      ['null', 'c', '1', '3'],
      ['disk', 'b', '259', '70000'],
      ['pipe', 'p'],
    ] as const)
      execFileSync('mknod', [at(name), ...args]);
    execFileSync('perl', [
      '-MIO::Socket::UNIX',
      '-e',
      'IO::Socket::UNIX->new(Local => shift, Listen => 1) or die',
      at('socket'),
    ]);
    writeFileSync(at('empty'), '');
    writeFileSync(Buffer.concat([Buffer.from(`${top}/`), Buffer.from([0xff, 0xfe])]), 'no UTF-8');
    utimesSync(at('empty'), 4_102_444_800, 4_102_444_800.5);
    const tree = await read(top);
    expect(tree.xattrs?.get('folder')?.length).toBe(2);
    await makeImage(join(dir, 'kinds.img'), tree);
    await survives(tree, join(dir, 'kinds.img'));
  });

  test('files of many pieces: trees of extents of depth 0, 1 and 2', async () => {
    const top = join(dir, 'pieces');
    mkdirSync(top);
    for (const [name, pieces] of [
      ['four', 4],
      ['five', 5],
      ['many', 400],
      ['most', 1500],
    ] as const) {
      const file = openSync(join(top, name), 'w');
      // Every second piece of 64 KiB has one byte in it; the others are holes.
      for (let i = 0; i < pieces; i++)
        writeSync(file, Buffer.from([(i & 0xff) | 1]), 0, 1, i * 128 * 1024 + 70_000);
      ftruncateSync(file, pieces * 128 * 1024 + 5000);
      closeSync(file);
    }
    const tree = await read(top);
    const image = join(dir, 'pieces.img');
    await makeImage(image, tree, { size: 256 * MIB });
    await survives(tree, image);
    const depth = (name: string) =>
      Number(/^\s*\d+\/\s*(\d+)/m.exec(debugfs(image, `dump_extents -n /${name}`))?.[1] ?? 0);
    expect(['four', 'five', 'many', 'most'].map(depth)).toEqual([0, 1, 1, 2]);
    rmSync(top, { recursive: true });
    rmSync(image);
  });

  test('a file larger than a group, folders of 5,000 names, and folders in folders', async () => {
    const top = join(dir, 'large');
    mkdirSync(join(top, 'names'), { recursive: true });
    for (let i = 0; i < 5000; i++)
      writeFileSync(join(top, 'names', `a name of some length ${i}`), i % 50 === 0 ? 'x' : '');
    mkdirSync(join(top, ...Array.from({ length: 200 }, (_, i) => `folder ${i}`)), { recursive: true });
    const block = Buffer.alloc(MIB, 'content');
    const file = openSync(join(top, 'big'), 'w');
    for (let i = 0; i < 300; i++) writeSync(file, block);
    closeSync(file);
    const tree = await read(top);
    const image = join(dir, 'large.img');
    await makeImage(image, tree, { size: 700 * MIB });
    await survives(tree, image);
    expect(readdirSync(join(top, 'names')).length).toBe(5000);
    rmSync(top, { recursive: true });
    rmSync(image);
  });

  test.each([
    ['one group', 100 * MIB, 400 * MIB],
    ['seven groups and a bit', 897 * MIB, 20_000 * MIB],
    ['a last group too small to be of use', 128 * MIB * 3 + MIB, 1000 * MIB],
    ['more than a flexible group', 3000 * MIB, 9000 * MIB],
  ])('%s: whole, and grows', async (_, size, grown) => {
    const top = join(dir, 'grow');
    mkdirSync(top, { recursive: true });
    writeFileSync(join(top, 'file'), 'content');
    const tree = await read(top);
    const image = join(dir, 'grow.img');
    await makeImage(image, tree, { size });
    await survives(tree, image);
    // resize2fs asks the same of the inode of reserved blocks as growth while mounted does.
    execFileSync('truncate', ['-s', String(grown), image]);
    execFileSync('/sbin/resize2fs', [image], { stdio: 'pipe' });
    expect(remarks(image)).toEqual([]);
    expect(debugfs(image, 'cat /file')).toBe('content');
    rmSync(image);
  });

  test('more files than the usual number of inodes', async () => {
    const tree = await read(join(dir, 'grow'));
    const [file] = tree.files.slice(1);
    if (!file) throw new Error('no file');
    const many = Array.from({ length: 9000 }, (_, i) => ({
      ...file,
      kind: 'fifo' as const,
      size: 0,
      path: `f${i}`,
    }));
    tree.top.entries?.push(...many.map((f) => ({ name: f.path, file: f })));
    const image = join(dir, 'many.img');
    await makeImage(image, { ...tree, files: [...tree.files, ...many] }, { size: 64 * MIB });
    expect(remarks(image)).toEqual([]);
    rmSync(image);
  });
});
