import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { imageFingerprint, inspectImage } from '../../src/host/qemu-image.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ingot-image-'));
});
afterEach(() => rm(dir, { recursive: true }));

/** A qcow2 header, version 3, of a disk of 1 GiB. */
function header(change: (h: Buffer) => void = () => {}): Buffer {
  const h = Buffer.alloc(512);
  h.write('QFI\u00fb', 0, 'latin1');
  h.writeUInt32BE(3, 4);
  h.writeBigUInt64BE(1024n ** 3n, 24);
  change(h);
  return h;
}

const inspect = async (content: Buffer | string): ReturnType<typeof inspectImage> => {
  const path = join(dir, 'image');
  await writeFile(path, content);
  return await inspectImage(path);
};

describe('inspectImage', () => {
  it('reads the virtual size of a qcow2', async () => {
    expect(await inspect(header())).toEqual({ format: 'qcow2', virtualSize: 1024 ** 3 });
  });

  it.each(['', 'short', 'x'.repeat(4096)])('takes anything else as raw (%#)', async (content) => {
    expect(await inspect(content)).toEqual({ format: 'raw', virtualSize: content.length });
  });

  it('refuses a folder, and a qcow2 that ends within its header', async () => {
    await expect(inspectImage(dir)).rejects.toMatchObject({
      code: 'qemu/no-image',
      message: expect.stringContaining('is a folder') as string,
    });
    await expect(inspect(header().subarray(0, 40))).rejects.toMatchObject({ code: 'qemu/damaged' });
  });

  it('refuses a backing file', async () => {
    const image = inspect(header((h) => h.writeBigUInt64BE(256n, 8)));
    await expect(image).rejects.toMatchObject({ code: 'qemu/not-standalone' });
  });

  it('refuses an external data file', async () => {
    const image = inspect(header((h) => h.writeBigUInt64BE(4n, 72)));
    await expect(image).rejects.toMatchObject({ code: 'qemu/not-standalone' });
  });

  it('says that there is no image', async () => {
    await expect(inspectImage(join(dir, 'none'))).rejects.toMatchObject({ code: 'qemu/no-image' });
  });
});

it('a fingerprint sees every write', async () => {
  const path = join(dir, 'image');
  await writeFile(path, 'a');
  const before = await imageFingerprint(path);
  expect(await imageFingerprint(path)).toBe(before);
  await writeFile(path, 'b');
  expect(await imageFingerprint(path)).not.toBe(before);
});
