import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { IngotError } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import { whyNotBootable } from './bootable.ts';
import type { Firmware, QemuDisk } from './qemu-command.ts';
import { damagedImage, fileName, type ImageFacts } from './qemu-image.ts';

const HEAD_BYTES = 64 * 1024;

/**
 * Refuses an image on which a machine of this firmware finds nothing to start, or whose qcow2 is not whole: the firmware
 * would end in its own shell, or the guest in errors of its disk, and say nothing of the reason. `scratch`: a folder of our
 * own. Throws `boot/not-bootable`, `qemu/damaged`.
 */
export async function requireBootable(
  host: Host,
  path: string,
  facts: ImageFacts,
  firmware: Firmware,
  scratch: string,
): Promise<void> {
  await requireWhole(host, path, facts);
  const head = await headOf(host, { path, format: facts.format }, scratch);
  const why = whyNotBootable(head, facts.virtualSize, firmware);
  if (!why) return;
  throw new IngotError('boot/not-bootable', `nothing can be booted from ${path}: ${why.reason}`, {
    hint: why.hint,
  });
}

/** A qcow2 that ends too early reads as zeros where it was cut: checks would judge another disk. Throws `qemu/damaged`. */
export async function requireWhole(host: Host, path: string, { format }: ImageFacts): Promise<void> {
  if (format === 'raw') return;
  const args = ['check', '-q', '-U', '-f', 'qcow2', fileName(path)];
  const { exitCode, stdout, stderr } = await host.run('qemu-img', args, { okCodes: 'any' });
  // 3: clusters that nothing refers to, which a killed program leaves; no reader minds them (qemu-img(1)).
  if (exitCode === 0 || exitCode === 3) return;
  const lines = `${stdout}${stderr}`.trim().split('\n');
  throw damagedImage(path, '`qemu-img check` finds errors in it', lines.slice(-5));
}

/** The beginning of a disk as a machine sees it, for `whyNotBootable`. `scratch`: a folder of our own. */
export async function headOf(
  host: Host,
  { path, format }: Pick<QemuDisk, 'path' | 'format'>,
  scratch: string,
): Promise<Uint8Array> {
  const part = format === 'raw' ? path : join(scratch, 'head');
  if (format !== 'raw') {
    const range = ['bs=512', `count=${HEAD_BYTES / 512}`, `if=${fileName(path)}`, `of=${fileName(part)}`];
    await host.run('qemu-img', ['dd', '-U', '-f', format, '-O', 'raw', ...range]);
  }
  await using file = await open(part, 'r');
  const head = Buffer.alloc(HEAD_BYTES);
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  return head.subarray(0, bytesRead);
}
