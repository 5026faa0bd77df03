import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { layerFile } from '../../../src/core/layer.ts';
import { qemuSource } from '../../../src/sources/qemu.ts';
import { openLayerCache } from '../../../src/store/layer-cache.ts';
import { optionsOf } from '../../provisioners/options.ts';
import { type SourceContext, sourceContext } from '../oci/context.ts';

let c: SourceContext;
beforeAll(() => {
  c = sourceContext('qemu.itself');
});
afterAll(() => c?.[Symbol.dispose]());

const SECTOR = 512;
const SIZE = 1024 * 1024;

/**
 * A disk that writes its first sector into its third one when it is booted, by the BIOS (INT 13h, AH=03h), and switches
 * the machine off (bit 13 of the ACPI register PM1a_CNT, which SeaBIOS has at port 604h).
 */
function selfWritingDisk(): Buffer {
  const code = '31c0 8ec0 bb007c b80103 b90300 ba8000 cd13 ba0406 b80020 ef f4 ebfd'.replaceAll(' ', '');
  const disk = Buffer.alloc(SIZE);
  Buffer.from(code, 'hex').copy(disk);
  disk.writeUInt16LE(0xaa55, SECTOR - 2);
  disk.write('the end', SIZE - SECTOR);
  return disk;
}

test('a disk image without a communicator runs until it is off, and what it wrote is the layer', async () => {
  const disk = selfWritingDisk();
  writeFileSync(join(c.dir, 'base.raw'), disk);
  const options = await optionsOf(
    qemuSource,
    'iso_url = "base.raw"\n iso_checksum = "none"\n disk_image = true\n communicator = "none"\n shutdown_timeout = "60s"\n disk_interface = "ide"\n machine_type = "pc"',
  );
  const pinned = await qemuSource.pin(options, c.pin());
  const ctx = c.run();
  await using machine = await qemuSource.start(pinned.options, undefined, ctx);
  const cache = await openLayerCache({ dir: ctx.cacheDir, host: ctx.host });
  await using staged = await cache.stage(`sha256:${'1'.repeat(64)}`);
  const below = [...machine.chain];
  await machine.snapshot?.(staged);
  const layer = await staged.commit({ kind: 'qcow2', parents: below.map((l) => l.id), result: null });

  expect(below).toHaveLength(1);
  const raw = join(c.dir, 'after.raw');
  const base = layerFile(below[0] as never, 'disk.qcow2');
  const top = layerFile(layer, 'disk.qcow2');
  execFileSync('qemu-img', ['rebase', '-q', '-u', '-f', 'qcow2', '-F', 'qcow2', '-b', base, top]);
  execFileSync('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', top, raw]);
  const after = readFileSync(raw);
  expect(after.subarray(2 * SECTOR, 3 * SECTOR).equals(disk.subarray(0, SECTOR))).toBe(true);
  expect(after.subarray(SIZE - SECTOR).equals(disk.subarray(SIZE - SECTOR))).toBe(true);
});
