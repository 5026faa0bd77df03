import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/error.ts';
import type { DiskPiece } from './gpt.ts';
import { type Partition, SECTOR } from './layout.ts';

/** Everything that the menu needs is in the image itself: no module is loaded from the disk. */
const MODULES = [
  'part_gpt',
  'ext2',
  'search',
  'search_fs_uuid',
  'normal',
  'configfile',
  'linux',
  'echo',
  'test',
  'serial',
  'terminal',
  'gzio',
  'reboot',
  'halt',
];
const BIOS_MODULES = [...MODULES, 'biosdisk'];
const UEFI_MODULES = [...MODULES, 'fat', 'efi_gop'];

/** Where GRUB finds its configuration: by the UUID of the root filesystem, whatever disk it is on. */
function earlyConfig(rootUuid: string): string {
  return `search.fs_uuid ${rootUuid} root\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n`;
}

/** A folder with the trees of grub-pc-bin and grub-efi-amd64-bin, from the locked archive. */
export interface GrubTools {
  readonly dir: string;
}

/**
 * Makes a core image by the host's own grub-mkimage from the modules in `tools`: those are data to it, nothing of
 * the archive is executed.
 */
async function makeImage(
  format: 'i386-pc' | 'x86_64-efi',
  modules: readonly string[],
  rootUuid: string,
  tools: GrubTools,
  ctx: Context,
): Promise<Buffer> {
  const folder = join(tools.dir, 'usr/lib/grub', format);
  if (!existsSync(join(folder, 'kernel.img'))) {
    throw new IngotError('disk/no-grub', `${folder} has no GRUB for ${format}`, {
      hint: 'The lock is from a source without boot loader packages; `ingot update` resolves it anew.',
    });
  }
  await using scratch = await ctx.host.scratch(ctx.workDir, 'grub-');
  const config = join(scratch.dir, 'early.cfg');
  const target = join(scratch.dir, 'core.img');
  await writeFile(config, earlyConfig(rootUuid));
  await ctx.host.run('grub-mkimage', [
    `--format=${format}`,
    `--directory=${folder}`,
    '--prefix=/boot/grub',
    `--config=${config}`,
    `--output=${target}`,
    ...modules,
  ]);
  return await readFile(target);
}

/** GRUB for UEFI, as the removable-media boot file (UEFI 2.10, 3.5.1.1). */
export async function grubForUefi(rootUuid: string, tools: GrubTools, ctx: Context): Promise<Uint8Array> {
  return await makeImage('x86_64-efi', UEFI_MODULES, rootUuid, tools, ctx);
}

/** GRUB for BIOS: code for the MBR and the core image for the BIOS boot partition, joined as grub-bios-setup does. */
export async function grubForBios(
  rootUuid: string,
  partition: Partition,
  tools: GrubTools,
  ctx: Context,
): Promise<{ readonly bootCode: Uint8Array; readonly core: DiskPiece }> {
  const core = await makeImage('i386-pc', BIOS_MODULES, rootUuid, tools, ctx);
  const boot = await readFile(join(tools.dir, 'usr/lib/grub/i386-pc/boot.img'));
  if (core.length > partition.size) {
    throw new IngotError(
      'disk/core-too-large',
      `GRUB's core image has ${core.length} bytes, the partition for it ${partition.size}`,
    );
  }
  const first = partition.offset / SECTOR;
  // boot.img: the core image's first sector (GRUB_BOOT_MACHINE_KERNEL_SECTOR, 0x5c), the drive that the BIOS names
  // (0x64: 0xff), and no workaround for floppies (two NOPs at 0x66); include/grub/i386/pc/boot.h.
  boot.writeBigUInt64LE(BigInt(first), 0x5c);
  boot[0x64] = 0xff;
  boot.set([0x90, 0x90], 0x66);
  // diskboot.img's last block list: the rest of the core image, loaded at segment 0x820.
  core.writeBigUInt64LE(BigInt(first + 1), 500);
  core.writeUInt16LE(Math.ceil(core.length / SECTOR) - 1, 508);
  core.writeUInt16LE(0x820, 510);
  return { bootCode: boot.subarray(0, 440), core: { offset: partition.offset, data: core } };
}

/** /boot/grub/grub.cfg: static, by the links that every kernel package keeps, so that upgrades inside keep working. */
export function grubConfig(o: {
  readonly rootUuid: string;
  readonly kernelOptions: readonly string[];
  readonly timeout: number;
}): string {
  const options = ['ro', 'console=tty0', 'console=ttyS0,115200', ...o.kernelOptions].join(' ');
  return `# Written by Ingot. The links /vmlinuz and /initrd.img follow the newest kernel.
set default=0
set timeout=${o.timeout}
if serial --unit=0 --speed=115200; then
  terminal_input console serial
  terminal_output console serial
fi
search --no-floppy --fs-uuid --set=root ${o.rootUuid}
menuentry "Linux" {
  linux /vmlinuz root=UUID=${o.rootUuid} ${options}
  initrd /initrd.img
}
menuentry "Linux (previous kernel)" {
  linux /vmlinuz.old root=UUID=${o.rootUuid} ${options}
  initrd /initrd.img.old
}
`;
}
