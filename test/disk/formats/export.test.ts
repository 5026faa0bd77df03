import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Host } from '../../../src/core/host.ts';
import { exportOutputs, outputFormats } from '../../../src/disk/formats/index.ts';
import { testContext } from './context.ts';
import { allocated, DISKS, EPOCH, makeDisk, SEED, sha256Of, STAMP } from './disks.ts';
import { OCI, OVA } from './options.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(`${tmpdir()}/ingot-formats-`);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Stands in for qemu-img, so that these tests need no system package: it tells the extents that the disk was made with. */
function hostOf(name: keyof typeof DISKS): Pick<Host, 'run'> {
  const disk = DISKS[name] as (typeof DISKS)[string];
  const map = disk.parts.map(([start, bytes]) => ({ start, length: bytes.length, data: true, zero: false }));
  return {
    async run(command, args) {
      expect([command, args[0]]).toEqual(['qemu-img', 'map']);
      return { exitCode: 0, stdout: JSON.stringify(map), stderr: '' };
    },
  };
}

function contextOf(name: keyof typeof DISKS, signal?: AbortSignal) {
  const context = testContext(`${dir}/work`, signal);
  return { ...context, host: { ...context.host, ...hostOf(name) } };
}

/** Every format that is made from the disk by ourselves. */
const REQUESTS: readonly [format: string, options: object][] = [
  ['raw', {}],
  ['qcow2', { compression: 'zlib' }],
  ['qcow2', { compression: 'none' }],
  ['vhd', {}],
  ['vhdx', {}],
  ['vmdk', { adapter: 'lsilogic' }],
  ['ova', OVA],
  ['gce', {}],
];

function requestsTo(folder: string, list = REQUESTS) {
  return list.map(([format, options], i) => ({
    format,
    options,
    target: `${folder}/${i}.${format}`,
    seed: SEED,
  }));
}

describe.each(Object.keys(DISKS))('disk %s', (name) => {
  test('all formats at once and each alone, in another time zone, give equal bytes', async () => {
    const disk = makeDisk(`${dir}/disk.raw`, name);
    const input = { disk, stamp: STAMP, epoch: EPOCH };
    const together = await exportOutputs(input, requestsTo(dir), contextOf(name));

    const zone = process.env.TZ;
    process.env.TZ = 'Pacific/Kiritimati';
    const other = mkdtempSync(`${dir}/other-`);
    const alone = [];
    for (const request of requestsTo(other))
      alone.push(...(await exportOutputs(input, [request], contextOf(name))));
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;

    for (const [i, file] of together.entries()) {
      expect(file.digest, file.format).toBe(alone[i]?.digest);
      if (file.size < 128 << 20) expect(file.digest, file.format).toBe(sha256Of(file.path));
      expect(file.size, file.format).toBe(statSync(file.path).size);
      expect(file.virtualSize, file.format).toBeGreaterThanOrEqual(disk.size);
      expect(allocated(file.path), file.format).toBeLessThan(allocated(disk.path) + (3 << 20));
    }
  });
});

test('another seed gives other ids, and the same disk', async () => {
  const disk = makeDisk(`${dir}/disk.raw`, 'small');
  const input = { disk, stamp: STAMP, epoch: EPOCH };
  const digests = async (folder: string, seed: typeof SEED) => {
    const requests = requestsTo(mkdtempSync(`${dir}/${folder}`)).map((request) => ({ ...request, seed }));
    const files = await exportOutputs(input, requests, contextOf('small'));
    return files.map((file) => [file.format, file.digest] as const);
  };
  const first = await digests('a', SEED);
  const second = await digests('b', `sha256:${'00'.repeat(32)}`);
  const changed = first.filter(([, digest], i) => digest !== second[i]?.[1]).map(([format]) => format);
  expect(changed).toEqual(['vhd', 'vhdx', 'vmdk', 'ova']);
});

test('progress ends at the size of the disk', async () => {
  const disk = makeDisk(`${dir}/disk.raw`, 'odd');
  const context = contextOf('odd');
  await exportOutputs({ disk, stamp: STAMP, epoch: EPOCH }, requestsTo(dir, [['vhdx', {}]]), context);
  expect(context.events.at(-1)).toMatchObject({ type: 'step:progress', done: disk.size, total: disk.size });
});

describe('refusals', () => {
  const input = { stamp: STAMP, epoch: EPOCH, disk: { path: '/nowhere', size: 512 } };

  test.each([
    ['qcow2', { compression: 'lzma' }, 'compression is "lzma", expected one of zlib, zstd, none'],
    ['qcow2', {}, undefined],
    ['raw', { sparse: true }, 'there is no option "sparse"'],
    ['raw', [], 'expected an object'],
    ['raw', { ['__proto__x']: 1 }, 'there is no option "__proto__x"'],
    ['ova', { ...OVA, cpus: 0 }, 'cpus: is 0, expected a whole number from 1 to 256'],
    ['ova', { ...OVA, memory: 12345 }, 'expected whole MiB'],
    ['ova', { ...OVA, memory: '1G' }, 'expected a size'],
    ['vmdk', { adapter: 7 }, 'expected one of lsilogic'],
  ])('%s with %j', async (format, options, message) => {
    const target = `${dir}/out`;
    const made = exportOutputs(input, [{ format, options, target, seed: SEED }], testContext(`${dir}/work`));
    if (message === undefined)
      await expect(made).rejects.toThrow(); // options not decoded: their defaults are missing
    else await expect(made).rejects.toThrow(message);
    expect(existsSync(target)).toBe(false);
  });

  test.each([
    ['rootfs', { level: 0 }, 'expected a whole number from 1 to 19'],
    ['oci', { ...OCI, cmd: 'sh' }, 'cmd is "sh", expected a list of strings'],
    ['oci', { ...OCI, labels: { a: 1 } }, 'strings in it'],
  ])('%s with %j', async (format, options, message) => {
    const rootfs = { chain: [], dir };
    const request = { format, options, target: `${dir}/out`, seed: SEED };
    const made = exportOutputs({ ...input, rootfs }, [request], testContext(`${dir}/work`));
    await expect(made).rejects.toMatchObject({
      code: 'output/bad-option',
      message: expect.stringContaining(message),
    });
  });

  test('an unknown format, a missing input', async () => {
    const ctx = testContext(`${dir}/work`);
    const one = (format: string, options: unknown) => [{ format, options, target: `${dir}/out`, seed: SEED }];
    await expect(exportOutputs(input, one('vdi', {}), ctx)).rejects.toMatchObject({
      code: 'output/unknown-format',
    });
    await expect(exportOutputs(input, one('rootfs', {}), ctx)).rejects.toMatchObject({
      code: 'output/no-input',
    });
    expect(existsSync(`${dir}/out`)).toBe(false);
  });

  test('a target that exists is left as it is', async () => {
    const disk = makeDisk(`${dir}/disk.raw`, 'small');
    writeFileSync(`${dir}/1.qcow2`, 'mine');
    const made = exportOutputs({ ...input, disk }, requestsTo(dir), contextOf('small'));
    await expect(made).rejects.toMatchObject({ code: 'output/exists' });
    expect(readdirSync(dir).sort()).toEqual(['1.qcow2', 'disk.raw', 'work']);
    expect(statSync(`${dir}/1.qcow2`).size).toBe(4);
  });

  test('a disk shorter than it says fails all and leaves nothing', async () => {
    const disk = makeDisk(`${dir}/disk.raw`, 'noise');
    const made = exportOutputs({ ...input, disk: { ...disk, size: disk.size * 2 } }, requestsTo(dir), {
      ...contextOf('noise'),
      host: {
        ...testContext(dir).host,
        run: async () => ({
          exitCode: 0,
          stdout: `[{"start":0,"length":${disk.size * 2},"data":true,"zero":false}]`,
          stderr: '',
        }),
      },
    });
    await expect(made).rejects.toMatchObject({
      code: 'output/failed',
      message: expect.stringContaining('ended before'),
    });
    expect(readdirSync(dir).sort()).toEqual(['disk.raw', 'work']);
  });

  test('an interrupted run leaves nothing', async () => {
    const disk = makeDisk(`${dir}/disk.raw`, 'mixed');
    const abort = new AbortController();
    const context = contextOf('mixed', abort.signal);
    const made = exportOutputs({ ...input, disk }, requestsTo(dir), context);
    setTimeout(() => abort.abort(new Error('stopped')), 20);
    await expect(made).rejects.toThrow('stopped');
    expect(readdirSync(dir).sort()).toEqual(['disk.raw', 'work']);
  });
});

test('every format names itself, its extension and its options once', () => {
  expect(outputFormats.map((f) => f.type)).toEqual([
    'raw',
    'qcow2',
    'vhd',
    'vhdx',
    'vmdk',
    'ova',
    'gce',
    'oci',
    'rootfs',
  ]);
  for (const format of outputFormats) {
    expect(existsSync(`docs/outputs/${format.type}.md`), format.type).toBe(true);
    expect(format.extension).toMatch(/^[a-z0-9.]+$/);
  }
});
