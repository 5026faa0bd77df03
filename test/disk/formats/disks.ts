import { createHash } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { exportOutputs, type OutputFile } from '../../../src/disk/formats/index.ts';
import type { Digest } from '../../../src/core/digest.ts';
import { testContext } from './context.ts';

export const SEED: Digest = `sha256:${'5e'.repeat(32)}`;
export const EPOCH = 1_700_000_000;
export const STAMP = { name: 'web', version: '1.2.0', commit: '0a1b2c', note: 'a <b> & "c"' };

/** Bytes that deflate can do nothing with, the same at every run. */
export function noise(length: number, seed: number): Buffer {
  let state = seed + 1;
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes.writeInt32LE(state, Math.min(i, length - 4));
  }
  return bytes;
}

export function text(length: number): Buffer {
  return Buffer.alloc(length, 'nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n');
}

/** Name, size and content by offset. Everything that writers treat in its own way is in one of them. */
export const DISKS: Record<string, { size: number; parts: readonly (readonly [number, Buffer])[] }> = {
  zeros: { size: 4 << 20, parts: [] },
  noise: { size: 3 << 20, parts: [[0, noise(3 << 20, 1)]] },
  // Clusters that shrink between clusters that don't, over more than one of VMDK's grain tables (32 MiB).
  mixed: {
    size: 70 << 20,
    parts: [
      [0, text(300_000)],
      [1 << 20, noise(65536, 2)],
      [(1 << 20) + 65536, text(65536 * 3)],
      [(1 << 20) + 65536 * 4, noise(65536 * 2, 3)],
      [33 << 20, text(100)],
      [(69 << 20) + 777, noise(2000, 4)],
    ],
  },
  // No multiple of a cluster, a grain, a MiB or a GiB; data up to the last byte.
  odd: {
    size: (5 << 20) + 512 * 3,
    parts: [
      [65536 - 10, noise(20, 5)],
      [(5 << 20) + 500, noise(512 * 3 - 500, 6)],
    ],
  },
  small: { size: 512, parts: [[0, text(512)]] },
  // Three L2 tables of qcow2 (512 MiB each), the middle one empty.
  wide: {
    size: 1100 << 20,
    parts: [
      [3, text(10)],
      [1090 << 20, text(200_000)],
    ],
  },
};

export function makeDisk(path: string, name: keyof typeof DISKS): { path: string; size: number } {
  const disk = DISKS[name] as (typeof DISKS)[string];
  const fd = openSync(path, 'w');
  ftruncateSync(fd, disk.size);
  for (const [offset, bytes] of disk.parts) writeSync(fd, bytes, 0, bytes.length, offset);
  closeSync(fd);
  return { path, size: disk.size };
}

export async function exportOne(
  dir: string,
  disk: { path: string; size: number },
  format: string,
  options: unknown = {},
): Promise<OutputFile> {
  const request = { format, options, target: `${dir}/out.${format}`, seed: SEED };
  const [file] = await exportOutputs(
    { disk, stamp: STAMP, epoch: EPOCH },
    [request],
    testContext(`${dir}/work`),
  );
  return file as OutputFile;
}

export function sha256Of(path: string): string {
  return `sha256:${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
}

/** Bytes that the filesystem gave the file. */
export function allocated(path: string): number {
  return statSync(path).blocks * 512;
}
