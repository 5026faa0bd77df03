import {
  chmodSync,
  existsSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readTree, type Tree } from '../../../src/disk/ext4/tree.ts';
import { debugfs, describeTree, EPOCH, MIB, makeImage, remarks, sha256Of } from './image.ts';

const noTools = !existsSync('/sbin/e2fsck') || !existsSync('/sbin/debugfs');

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-ext4-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

type Node =
  | { kind: 'file'; pieces: readonly number[]; tail: number; mode: number }
  | { kind: 'link'; target: string }
  | { kind: 'same' }
  | { kind: 'folder'; entries: Readonly<Record<string, Node>> };

const name = fc
  .oneof(
    fc.stringMatching(/^[A-Za-z0-9_.+-]{1,12}$/),
    fc.constantFrom('ä', 'Ä', '日本', 'n'.repeat(255), 'a b', '\\n'),
  )
  .filter((n) => n !== '.' && n !== '..' && n !== 'lost+found');
const { folder } = fc.letrec<{ node: Node; folder: Node & { kind: 'folder' } }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({
      kind: fc.constant('file' as const),
      // Each piece of 64 KiB is all of one byte; zeros become a hole.
      pieces: fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 14 }),
      tail: fc.nat(9000),
      mode: fc.constantFrom(0o644, 0o755, 0o600, 0o711),
    }),
    fc.record({
      kind: fc.constant('link' as const),
      target: fc.oneof(
        fc.constantFrom('x', 'y'.repeat(59), 'z'.repeat(60)),
        fc.stringMatching(/^[a-z/]{1,300}$/),
      ),
    }),
    fc.constant({ kind: 'same' as const }),
    tie('folder'),
  ),
  folder: fc.record({
    kind: fc.constant('folder' as const),
    entries: fc.dictionary(name, tie('node'), { maxKeys: 20, noNullPrototype: true }),
  }),
}));

/** Makes a tree on the host; `backwards`: names in the other order, so that the host lists them differently. */
function build(top: string, root: Node & { kind: 'folder' }, backwards: boolean): Tree {
  const firsts = new Map<string, string>();
  const make = (path: string, node: Node): void => {
    if (node.kind === 'folder') {
      mkdirSync(path, { recursive: true });
      const entries = Object.entries(node.entries);
      // A second name needs its first one: the same file of this folder in either order.
      const file = entries.find(([, n]) => n.kind === 'file');
      if (file) firsts.set(path, join(path, file[0]));
      const files = entries.filter(([, n]) => n.kind !== 'same');
      for (const [n, below] of backwards ? files.reverse() : files) make(join(path, n), below);
      for (const [n, below] of entries) if (below.kind === 'same') make(join(path, n), below);
      chmodSync(path, 0o755);
    } else if (node.kind === 'file') {
      const parts = node.pieces.map((byte) => Buffer.alloc(64 * 1024, byte));
      writeFileSync(path, Buffer.concat([...parts, Buffer.alloc(node.tail, 'tail')]));
      chmodSync(path, node.mode);
    } else if (node.kind === 'link') {
      symlinkSync(node.target, path);
    } else {
      const first = firsts.get(join(path, '..'));
      if (first === undefined) writeFileSync(path, '');
      else linkSync(first, path);
      if (first === undefined) chmodSync(path, 0o644);
    }
  };
  make(top, root);
  const settle = (path: string, node: Node): void => {
    if (node.kind === 'folder')
      for (const [n, below] of Object.entries(node.entries)) settle(join(path, n), below);
    lutimesSync(path, 1_600_000_000, 1_600_000_000);
  };
  settle(top, root);
  return readTree([top]);
}

describe.skipIf(noTools)('writeExt4', () => {
  test('of any tree, e2fsck finds nothing, what comes out is what went in, and order of creation does not matter', async () => {
    await fc.assert(
      fc.asyncProperty(folder, async (root) => {
        const work = mkdtempSync(join(dir, 'run-'));
        const tree = build(join(work, 'one'), root, false);
        await makeImage(join(work, 'one.img'), tree);
        expect(remarks(join(work, 'one.img'))).toEqual([]);
        mkdirSync(join(work, 'out'));
        debugfs(join(work, 'one.img'), `rdump / ${join(work, 'out')}`);
        const fields = ['kind', 'mode', 'size'] as const;
        const out = describeTree(readTree([join(work, 'out')]), fields);
        const want = describeTree(tree, fields);
        for (const facts of [...Object.values(out), ...Object.values(want)] as { path?: string }[])
          delete facts.path;
        delete out[''];
        delete want[''];
        expect(out).toEqual(want);
        await makeImage(join(work, 'two.img'), build(join(work, 'two'), root, true));
        expect(sha256Of(join(work, 'two.img'))).toBe(sha256Of(join(work, 'one.img')));
        rmSync(work, { recursive: true });
      }),
      { numRuns: 12 },
    );
  });

  test('a second name is the same inode', async () => {
    mkdirSync(join(dir, 'tree/sub'), { recursive: true });
    writeFileSync(join(dir, 'tree/a'), 'content');
    linkSync(join(dir, 'tree/a'), join(dir, 'tree/sub/b'));
    await makeImage(join(dir, 'a.img'), readTree([join(dir, 'tree')]));
    const inode = (path: string) =>
      /Inode: (\d+).*?Links: (\d+)/s.exec(debugfs(join(dir, 'a.img'), `stat ${path}`))?.slice(1);
    expect(inode('/a')?.[1]).toBe('2');
    expect(inode('/sub/b')).toEqual(inode('/a'));
  });

  test('times: of modification to the nanosecond, beyond 2038 and before 1970; all others are the epoch', async () => {
    mkdirSync(join(dir, 'tree'));
    const file = (path: string, mtime: bigint) => ({
      ...readTree([join(dir, 'tree')]).top,
      entries: [],
      path,
      kind: 'fifo' as const,
      mtime,
      links: 1,
    });
    const { top } = readTree([join(dir, 'tree')]);
    const times = { now: 1_700_000_000_123_456_789n, late: 5_000_000_000_000_000_001n, early: -1n };
    const files = Object.entries(times).map(([n, t]) => file(n, t));
    top.entries?.push(...files.map((f) => ({ name: f.path, file: { ...f, entries: undefined } as never })));
    const all = [top, ...(top.entries ?? []).map((e) => e.file)];
    await makeImage(join(dir, 'a.img'), { top, files: all });
    const field = (path: string, key: string) =>
      new RegExp(`${key}: (0x[0-9a-f]+:[0-9a-f]+)`).exec(debugfs(join(dir, 'a.img'), `stat ${path}`))?.[1];
    const epoch = `0x${EPOCH.toString(16)}:00000000`;
    for (const path of Object.keys(times)) {
      for (const key of ['ctime', 'atime', 'crtime']) expect(field(path, key)).toBe(epoch);
    }
    // Nanoseconds lie two bits up, beside two more bits of seconds.
    const low = (seconds: bigint) => BigInt.asUintN(32, seconds).toString(16).padStart(8, '0');
    expect(field('now', 'mtime')).toBe(
      `0x${low(1_700_000_000n)}:${(123_456_789 * 4).toString(16).padStart(8, '0')}`,
    );
    expect(field('late', 'mtime')).toBe(`0x${low(5_000_000_000n)}:${(4 + 1).toString(16).padStart(8, '0')}`);
    expect(field('early', 'mtime')).toBe(`0x${low(-1n)}:${(999_999_999 * 4).toString(16).padStart(8, '0')}`);
  });

  test('a tree that does not fit is refused, and so is a file in the place of lost+found', async () => {
    mkdirSync(join(dir, 'tree'));
    writeFileSync(join(dir, 'tree/big'), Buffer.alloc(20 * MIB, 1));
    const tree = readTree([join(dir, 'tree')]);
    const refused = (size: number) => makeImage(join(dir, 'a.img'), tree, { size });
    await expect(refused(16 * MIB)).rejects.toMatchObject({ code: 'disk/too-small' });
    await expect(refused(MIB)).rejects.toMatchObject({ code: 'disk/too-small' });
    rmSync(join(dir, 'tree/big'));
    writeFileSync(join(dir, 'tree/lost+found'), '');
    const lost = makeImage(join(dir, 'b.img'), readTree([join(dir, 'tree')]));
    await expect(lost).rejects.toMatchObject({ code: 'disk/lost-found' });
  });

  test('a file that becomes shorter while it is read is an error, not zeros', async () => {
    mkdirSync(join(dir, 'tree'));
    writeFileSync(join(dir, 'tree/a'), 'long content');
    const tree = readTree([join(dir, 'tree')]);
    writeFileSync(join(dir, 'tree/a'), 'short');
    await expect(makeImage(join(dir, 'a.img'), tree)).rejects.toMatchObject({ code: 'disk/changed' });
  });
});
