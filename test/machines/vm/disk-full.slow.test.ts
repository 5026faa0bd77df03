import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHost } from '../../../src/host/index.ts';
import { createVm } from '../../../src/machines/vm.ts';
import { SmallDisk } from '../../e2e/small-disk.ts';
import { fakeContext } from '../../provisioners/fake-machine.ts';

const MIB = 2 ** 20;

/**
 * A boot sector that writes, 32 KiB further each time, for ever: INT 13h, AH=43h with the disk address packet at
 * 0x7c1a (EDD-3, "Extended Write").
 */
const WRITER = Buffer.from(
  '31c08ed88ed0bc007c' +
    'be1a7c' +
    'b80043' +
    'b280' +
    'cd13' +
    '8306227c40' +
    'ebef' +
    '10000800007c00000008000000000000',
  'hex',
);

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-full-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

test('a machine that writes more than the host has room for is ended, and the reason is told', async () => {
  const image = join(dir, 'writer.raw');
  const disk = Buffer.alloc(64 * MIB);
  WRITER.copy(disk);
  disk.writeUInt16LE(0xaa55, 510);
  writeFileSync(image, disk);
  using small = new SmallDisk(join(dir, 'small'), '8m');
  mkdirSync(join(dir, 'cache'));
  const { ctx } = fakeContext(dir, createHost({ leaseDir: join(dir, 'leases') }));
  await using vm = await createVm(
    {
      base: [],
      image: { path: image, format: 'raw', readOnly: true },
      diskSize: 64 * MIB,
      hardware: { memory: 64 * MIB, accel: 'tcg' },
      ssh: {
        username: 'root',
        password: 'x',
        timeoutMs: 120_000,
        handshakeAttempts: 1,
        keepAliveMs: 1000,
        pauseMs: 0,
        pty: false,
        forwardAgent: false,
      },
      guestPort: 22,
      shutdownTimeoutMs: 1000,
    },
    { ...ctx, workDir: small.dir },
  );
  await expect(vm.up()).rejects.toMatchObject({
    code: 'host/no-space',
    message: expect.stringContaining(small.dir) as string,
    hint: expect.stringContaining('INGOT_CACHE_DIR') as string,
  });
});
