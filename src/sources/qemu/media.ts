import { cp, mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, normalize } from 'node:path';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import type { QemuDisk } from '../../host/qemu-command.ts';
import { expand } from './inputs.ts';
import type { QemuSourceOptions } from './options.ts';

type Ctx = Pick<Context, 'host' | 'templateDir'>;

/** The files of cd_files and cd_content in the folder `tree`; undefined where there are none. */
export async function makeTree(
  o: Pick<QemuSourceOptions, 'cd_files' | 'cd_content'>,
  tree: string,
  ctx: Pick<Ctx, 'templateDir'>,
): Promise<string | undefined> {
  if (o.cd_files.length === 0 && Object.keys(o.cd_content).length === 0) return undefined;
  await gather(tree, await expand(o.cd_files, ctx), o.cd_content);
  return tree;
}

/** The disc of cd_files and cd_content as an ISO 9660 image with Joliet and Rock Ridge names; none where there are no files. */
export async function makeDisc(o: QemuSourceOptions, dir: string, ctx: Ctx): Promise<QemuDisk | undefined> {
  const tree = await makeTree(o, join(dir, 'disc'), ctx);
  if (tree === undefined) return undefined;
  const path = join(dir, 'disc.iso');
  await ctx.host.run('xorriso', [
    '-as',
    'mkisofs',
    '-quiet',
    '-joliet',
    '-rock',
    '-volid',
    o.cd_label,
    '-output',
    path,
    tree,
  ]);
  return { path, format: 'raw', readOnly: true };
}

/** The floppy of floppy_files, floppy_dirs and floppy_content: 1.44 MB, FAT12. */
export async function makeFloppy(o: QemuSourceOptions, dir: string, ctx: Ctx): Promise<QemuDisk | undefined> {
  const named = [...o.floppy_files, ...o.floppy_dirs];
  if (named.length === 0 && Object.keys(o.floppy_content).length === 0) return undefined;
  const tree = join(dir, 'floppy');
  const names = await gather(tree, await expand(named, ctx), o.floppy_content);
  const path = join(dir, 'floppy.img');
  await ctx.host.run('mformat', ['-i', path, '-C', '-f', '1440', '-v', o.floppy_label.slice(0, 11), '::']);
  await ctx.host.run('mcopy', ['-s', '-i', path, ...names.map((name) => join(tree, name)), '::']);
  return { path, format: 'raw', readOnly: true };
}

/** Copies files and texts into one folder; answers the names in it. */
async function gather(
  tree: string,
  files: readonly string[],
  content: Readonly<Record<string, string>>,
): Promise<string[]> {
  await mkdir(tree);
  const names = new Set<string>();
  for (const file of files) {
    names.add(basename(file));
    await cp(file, join(tree, basename(file)), { recursive: true, dereference: true });
  }
  for (const [name, text] of Object.entries(content)) {
    const path = normalize(name).replace(/^\/+/, '');
    if (path === '' || path === '..' || path.startsWith('../') || path.includes('\0')) {
      throw new IngotError('qemu/bad-name', `${JSON.stringify(name)} is no path on a disc`, {
        hint: 'Write it relative to the disc, such as "preseed/early.sh".',
      });
    }
    names.add(path.split('/')[0] as string);
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), text);
  }
  return [...names].sort();
}
