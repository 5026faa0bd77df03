import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LayerChain } from '../../../src/core/layer.ts';
import type { LockedImage } from '../../../src/core/lock.ts';
import { mountChain } from '../../../src/host/index.ts';
import { ociSource } from '../../../src/sources/oci.ts';
import type { Member } from '../../disk/oci/archives.ts';
import { blob, imageOf, type TestImage, writeLayout } from '../../disk/oci/layouts.ts';
import { busyboxMembers } from './busybox.ts';
import { type SourceContext, sourceContext } from './context.ts';

const folder = (path: string): Member => ({ path, type: '5' });
const LOWER: Member[] = [
  ...busyboxMembers(),
  { path: 'etc/gone', data: '1' },
  folder('srv/old'),
  { path: 'srv/old/a', data: '1' },
  folder('opt/hidden'),
  { path: 'opt/hidden/a', data: '1' },
  { path: 'usr/bin/owned', data: 'x', uid: 33, gid: 33, mode: 0o4755, xattrs: { 'user.note': 'kept' } },
  { path: 'usr/bin/same', type: '1', linkName: 'usr/bin/owned' },
  { path: 'dev/null', type: '3' },
];
const UPPER: Member[] = [
  { path: 'etc/.wh.gone' },
  { path: '.wh.srv' },
  folder('srv'),
  { path: 'srv/new', data: '2' },
  { path: 'opt/hidden/.wh..wh..opq' },
  { path: 'opt/hidden/b', data: '2' },
  { path: `deep/${'d'.repeat(120)}/${'f'.repeat(120)}`, data: 'long' },
];
const options = { image: 'oci:layout:1', platform: 'linux/amd64', insecure: false, boot: false };

let c: SourceContext;
beforeAll(() => {
  c = sourceContext();
  writeLayout(join(c.dir, 'layout'), {
    '1': imageOf([LOWER, UPPER], { Env: ['PATH=/bin:/extra', 'LANG=xx', 'bad'] }),
  });
});
afterAll(() => c[Symbol.dispose]());

async function inView(chain: LayerChain, look: (dir: string) => void): Promise<void> {
  await using view = await mountChain(c.run().host, chain, { parent: c.run().workDir });
  look(view.dir);
}

describe('an image in a layout', () => {
  test('is pinned by digest, with its date', async () => {
    const { lockKey, options: pinned } = await ociSource.pin(options, c.pin());
    const entry = c.lock.entries[lockKey as string] as LockedImage;
    expect(entry).toMatchObject({ kind: 'image', image: 'oci:layout:1', date: 1_704_164_645 });
    expect(pinned.manifest).toEqual(entry.manifest);
  });

  test('becomes layers, in which a container runs with its environment', async () => {
    const { options: pinned } = await ociSource.pin(options, c.pin());
    await using machine = await ociSource.start(pinned, undefined, c.run());
    expect(machine.chain).toHaveLength(2);
    const result = await machine.communicator.exec([
      'sh',
      '-c',
      'echo "$PATH $LANG $SOURCE_DATE_EPOCH"; ls /srv',
    ]);
    expect(result).toMatchObject({ exitCode: 0, stdout: '/bin:/extra xx 1700000000\nnew\n' });
    await inView(machine.chain, (dir) => {
      const list = (path: string): string =>
        execFileSync('ls', ['-A', join(dir, path)], { encoding: 'utf8' });
      expect(existsSync(join(dir, 'etc/gone'))).toBe(false);
      expect(list('srv')).toBe('new\n');
      expect(list('opt/hidden')).toBe('b\n');
      expect(list('dev')).toBe('');
      const owned = lstatSync(join(dir, 'usr/bin/owned'));
      expect([owned.uid, owned.gid, owned.mode & 0o7777, owned.nlink]).toEqual([33, 33, 0o4755, 2]);
      expect(owned.mtimeMs).toBe(1_600_000_000_000);
      const note = execFileSync('python3', [
        '-c',
        'import os,sys;print(os.getxattr(sys.argv[1],"user.note").decode(),end="")',
        join(dir, 'usr/bin/owned'),
      ]);
      expect(note.toString()).toBe('kept');
      expect(readFileSync(join(dir, 'deep', 'd'.repeat(120), 'f'.repeat(120)), 'utf8')).toBe('long');
      expect(lstatSync(join(dir, 'tmp')).mode & 0o7777).toBe(0o1777);
    });
  });

  test('is unpacked once, and its lower layers are shared', async () => {
    const both = sourceContext();
    try {
      writeLayout(join(both.dir, 'layout'), {
        '1': imageOf([LOWER, UPPER]),
        '2': imageOf([LOWER, UPPER, [{ path: 'srv/.wh.new' }, { path: 'srv/third', data: '3' }]]),
      });
      const start = async (image: string) => {
        const { options: pinned } = await ociSource.pin({ ...options, image }, both.pin({ step: image }));
        return await ociSource.start(pinned, undefined, both.run());
      };
      await using first = await start('oci:layout:1');
      await using second = await start('oci:layout:2');
      expect(second.chain.slice(0, 2).map((l) => l.dir)).toEqual(first.chain.map((l) => l.dir));
      expect((await second.communicator.exec(['ls', '/srv'])).stdout).toBe('third\n');
      const unpacked = both.events.filter((e) => e.type === 'step:log' && e.line.startsWith('layer '));
      expect(unpacked).toHaveLength(3);
      // All is there: the layout is not needed any more.
      rmSync(join(both.dir, 'layout'), { recursive: true });
      await using third = await start('oci:layout:2');
      expect(third.chain).toHaveLength(3);
    } finally {
      both[Symbol.dispose]();
    }
  });
});

describe('what is wrong with an image', () => {
  const broken = (change: (image: TestImage) => TestImage): TestImage => change(imageOf([LOWER]));
  test.each<[string, () => TestImage, string, RegExp]>([
    [
      'another layer than the manifest says',
      () =>
        broken((image) => ({
          ...image,
          blobs: image.blobs.map((b, i) => (i === 1 ? { ...b, bytes: Buffer.alloc(b.bytes.length) } : b)),
        })),
      'disk/bad-layer',
      /and not sha256/,
    ],
    [
      'another archive than the configuration says',
      () => {
        const image = imageOf([LOWER]);
        const other = imageOf([[...LOWER, { path: 'more' }]]);
        const manifest = JSON.parse(image.manifest.bytes.toString()) as { layers: unknown[] };
        manifest.layers = [other.blobs[1]?.descriptor];
        const text = Buffer.from(JSON.stringify(manifest));
        return {
          manifest: blob(image.manifest.descriptor.mediaType, text),
          blobs: [...image.blobs, ...other.blobs],
        };
      },
      'disk/bad-layer',
      /configuration says/,
    ],
    [
      'a layer that leads out',
      () => imageOf([[{ path: '../../escape', data: 'x' }]]),
      'disk/bad-layer',
      /leads out/,
    ],
  ])('%s', async (_what, make, code, message) => {
    const bad = sourceContext();
    try {
      writeLayout(join(bad.dir, 'layout'), { '1': make() });
      const { options: pinned } = await ociSource.pin(options, bad.pin());
      const error = await ociSource.start(pinned, undefined, bad.run()).catch((e: unknown) => e);
      expect(error).toMatchObject({ code });
      expect((error as Error).message).toMatch(message);
      expect(existsSync(join(bad.dir, 'escape'))).toBe(false);
      expect(execFileSync('find', [join(bad.dir, 'cache/layers'), '-type', 'f'], { encoding: 'utf8' })).toBe(
        '',
      );
    } finally {
      bad[Symbol.dispose]();
    }
  });

  test('a lock is kept to, until it is updated', async () => {
    const moving = sourceContext();
    try {
      const one = imageOf([LOWER]);
      const two = imageOf([LOWER, UPPER]);
      writeLayout(join(moving.dir, 'layout'), { '1': one });
      await expect(ociSource.pin(options, moving.pin({ mode: 'locked' }))).rejects.toMatchObject({
        code: 'source/not-locked',
      });
      await ociSource.pin(options, moving.pin());
      writeLayout(join(moving.dir, 'layout'), { '1': two });
      const digest = async (mode: 'use' | 'locked' | 'update') =>
        (await ociSource.pin(options, moving.pin({ mode }))).options.manifest?.digest;
      expect(await digest('locked')).toBe(one.manifest.descriptor.digest);
      expect(await ociSource.outdated?.(options, moving.pin())).toHaveLength(1);
      expect(await digest('update')).toBe(two.manifest.descriptor.digest);
      expect(await ociSource.outdated?.(options, moving.pin())).toEqual([]);
    } finally {
      moving[Symbol.dispose]();
    }
  });

  test('a place that has no images', async () => {
    const pin = (image: string) => ociSource.pin({ ...options, image }, c.pin({ step: 'x' }));
    writeFileSync(join(c.dir, 'empty.tar'), Buffer.alloc(1024));
    await expect(pin('oci:nowhere')).rejects.toMatchObject({ code: 'disk/bad-image' });
    await expect(pin('oci:layout:2')).rejects.toThrow('has no 2; it has 1');
    await expect(pin('oci-archive:empty.tar')).rejects.toThrow('no OCI archive');
  });
});
