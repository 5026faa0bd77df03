import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/error.ts';
import type { LayerChain } from '../core/layer.ts';
import { mountChain, openRootfs } from '../host/index.ts';
import type { GrubTools } from './grub.ts';

const FORMATS = ['i386-pc', 'x86_64-efi'];
/** A GRUB module has a few hundred KiB. */
const MAX_MODULE = 16 * 1024 * 1024;

/**
 * GRUB's modules as the image itself has them, copied to `dir`: for sources that lock no boot loader packages. Links
 * are followed inside the image only. Throws `disk/no-grub` where there are none.
 */
export async function grubOfImage(chain: LayerChain, dir: string, ctx: Context): Promise<GrubTools> {
  await using view = await mountChain(ctx.host, chain, { parent: ctx.workDir });
  const root = openRootfs(view.dir);
  let found = 0;
  for (const format of FORMATS) {
    const from = `/usr/lib/grub/${format}`;
    const to = join(dir, from);
    await mkdir(to, { recursive: true });
    for (const name of root.list(from).filter((n) => /^[\w.-]+\.(img|mod|lst)$/.test(n))) {
      if (!root.lstat(`${from}/${name}`)?.isFile()) continue;
      await writeFile(join(to, name), root.readBytes(`${from}/${name}`, MAX_MODULE));
      found++;
    }
  }
  if (found === 0) {
    throw new IngotError(
      'disk/no-grub',
      'the image has no GRUB in /usr/lib/grub, and a disk needs a boot loader',
      {
        hint: 'Install grub-pc-bin and grub-efi-amd64-bin, a kernel and systemd-sysv in a provisioner, or use output "oci" or "rootfs".',
      },
    );
  }
  return { dir };
}
