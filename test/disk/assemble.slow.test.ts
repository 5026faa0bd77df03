import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context } from '../../src/core/context.ts';
import { explainSystemError } from '../../src/core/system-error.ts';
import { sha256 } from '../../src/core/digest.ts';
import { Scope } from '../../src/core/scope.ts';
import { assembleDisk, type DiskFacts } from '../../src/disk/assemble.ts';
import { writeEsp } from '../../src/disk/esp.ts';
import { SECTOR } from '../../src/disk/layout.ts';
import type { DiskOptions } from '../../src/disk/spec.ts';
import { createHost } from '../../src/host/index.ts';
import { SmallDisk } from '../e2e/small-disk.ts';

const EPOCH = 1_700_000_000;
const OPTIONS: DiskOptions = {
  size: undefined,
  firmware: ['bios', 'uefi'],
  label: 'web',
  kernel_options: [],
  timeout: 0,
  partition: [{ name: 'data', size: 3 << 20, type: 'linux' }],
};

let dir: string;
let facts: DiskFacts;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-disk-'));
  facts = await assemble('one');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Circumstances {
  readonly change?: Partial<DiskOptions>;
  /** The tree lies on a tmpfs, which lists names in the order of their creation; ext4 has an order of its own. */
  readonly tmpfs?: boolean;
  /** Names are made in steps of so many. */
  readonly stride?: number;
  readonly umask?: number;
}

async function assemble(name: string, o: Circumstances = {}): Promise<DiskFacts> {
  const host = createHost({ leaseDir: join(dir, 'leases') });
  const tree = join(dir, `tree-${name}`);
  mkdirSync(tree);
  await using scope = new Scope();
  if (o.tmpfs) scope.use(await host.mountTmpfs(tree, 16 << 20));
  process.umask(0o022);
  makeTree(tree, o.stride ?? 1);
  const ctx = { host, signal: new AbortController().signal, epoch: EPOCH, workDir: join(dir, 'work') };
  process.umask(o.umask ?? 0o022);
  const request = {
    layers: [tree],
    options: { ...OPTIONS, ...o.change },
    seed: sha256('seed'),
    // The host's own packages play the locked ones: their trees lie in /usr.
    grub: { dir: '/' },
    target: join(dir, `${name}.raw`),
  };
  return await assembleDisk(request, ctx as unknown as Context);
}

function makeTree(top: string, stride: number): void {
  const count = 101;
  chmodSync(top, 0o755);
  mkdirSync(join(top, 'etc'));
  for (let i = 0; i < count; i++) {
    const number = (i * stride) % count;
    writeFileSync(join(top, 'etc', `file ${number}`), `content ${number}`);
    utimesSync(join(top, 'etc', `file ${number}`), EPOCH, EPOCH);
  }
  for (const folder of ['etc', '.']) utimesSync(join(top, folder), EPOCH, EPOCH);
}

function digest(name: string): string {
  return createHash('sha256')
    .update(readFileSync(join(dir, `${name}.raw`)))
    .digest('hex');
}

function offsetOf(name: string): number {
  return facts.partitions.find((p) => p.name === name)?.offset ?? Number.NaN;
}

test('equal trees give equal disks, whatever the order of names, the time zone and the umask', async () => {
  const { TZ } = process.env;
  process.env.TZ = 'Pacific/Kiritimati';
  try {
    await assemble('two', { tmpfs: true, stride: 37, umask: 0o077 });
  } finally {
    process.umask(0o022);
    if (TZ === undefined) delete process.env.TZ;
    else process.env.TZ = TZ;
  }
  expect(digest('two')).toBe(digest('one'));
});

test('sfdisk finds the partitions, with nothing to complain of', () => {
  const path = join(dir, 'one.raw');
  const { partitiontable: table } = JSON.parse(
    execFileSync('sfdisk', ['-J', path], { encoding: 'utf8' }),
  ) as {
    partitiontable: { partitions: { name: string; start: number; size: number }[] };
  };
  expect(
    table.partitions.map(({ name, start, size }) => ({ name, offset: start * SECTOR, size: size * SECTOR })),
  ).toEqual(facts.partitions);
  expect(execFileSync('sfdisk', ['--verify', path], { encoding: 'utf8' })).toContain('No errors detected');
});

test('e2fsck finds nothing in the root, and the ESP holds the boot loader, dated by the epoch', () => {
  const path = join(dir, 'one.raw');
  execFileSync('/sbin/e2fsck', ['-f', '-n', `${path}?offset=${offsetOf('root')}`], { stdio: 'pipe' });
  const esp = `${path}@@${offsetOf('esp')}`;
  const listing = execFileSync('mdir', ['-/', '-i', esp, '::'], {
    encoding: 'utf8',
    env: { ...process.env, TZ: 'UTC' },
  });
  expect(listing).toMatch(/BOOTX64\s+EFI\s+\d+ 2023-11-14/);
  const efi = execFileSync('mtype', ['-i', esp, '::EFI/BOOT/BOOTX64.EFI'], { maxBuffer: 16 << 20 });
  expect(efi.subarray(0, 2).toString()).toBe('MZ');
});

test("the BIOS's way: the boot sector names the core image's place, and that the rest of it", () => {
  const disk = readFileSync(join(dir, 'one.raw')).subarray(0, 4 << 20);
  const first = offsetOf('bios') / SECTOR;
  expect(disk.readUInt16LE(510)).toBe(0xaa55);
  expect(disk.readBigUInt64LE(0x5c)).toBe(BigInt(first));
  const list = first * SECTOR + 500;
  expect(disk.readBigUInt64LE(list)).toBe(BigInt(first + 1));
  expect(disk.readUInt16LE(list + 10)).toBe(0x820);
  const sectors = disk.readUInt16LE(list + 8);
  expect(disk.subarray((first + sectors) * SECTOR, (first + sectors + 1) * SECTOR).some((b) => b !== 0)).toBe(
    true,
  );
  expect(
    disk.subarray((first + sectors + 1) * SECTOR, (first + sectors + 9) * SECTOR).every((b) => b === 0),
  ).toBe(true);
});

test('a disk that is too small is refused, and firmware left out leaves its partition out', async () => {
  await expect(assemble('small', { change: { size: 64 << 20 } })).rejects.toMatchObject({
    code: 'disk/too-small',
  });
  expect(existsSync(join(dir, 'small.raw'))).toBe(false);
  const bios = await assemble('bios', { change: { firmware: ['bios'], partition: [] } });
  expect(bios.partitions.map((p) => p.name)).toEqual(['bios', 'root']);
});

test('an ESP for which the disk has no room is told so, though mkfs.vfat says nothing of it', async () => {
  using disk = new SmallDisk(join(dir, 'small'), '300k');
  const host = createHost({ leaseDir: join(dir, 'leases') });
  const ctx = { host, epoch: EPOCH, workDir: dir } as Context;
  const esp = { size: 64 * 2 ** 20, id: '01020304', files: [] };
  const failed = await writeEsp(join(disk.dir, 'esp.img'), esp, ctx).catch((error: unknown) => error);
  expect(explainSystemError(failed)).toMatchObject({ code: 'host/no-space' });
});
