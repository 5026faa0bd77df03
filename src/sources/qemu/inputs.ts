import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import { rememberedHash } from './file-hash.ts';
import { type QemuSourceOptions, qemuArgs } from './options.ts';

type Ctx = Pick<Context, 'templateDir' | 'cacheDir' | 'signal'>;

/** A file that the machine is given, by the name that it gets. */
export interface InputFile {
  readonly name: string;
  readonly sha256: string;
}

/** Hashes of all files that the options name, in an order of their own. */
export async function readFiles(o: QemuSourceOptions, ctx: Ctx): Promise<InputFile[]> {
  const named = [
    ...(await expand([...o.cd_files, ...o.floppy_files, ...o.floppy_dirs], ctx)),
    ...(o.http_directory === undefined ? [] : [resolveIn(o.http_directory, ctx)]),
    ...[o.efi_firmware_code, o.efi_firmware_vars].flatMap((path) =>
      path === undefined ? [] : [resolveIn(path, ctx)],
    ),
    ...filesOfArguments(o).map((path) => resolveIn(path, ctx)),
  ];
  const found: InputFile[] = [];
  for (const path of named) await collect(path, basename(path), ctx, found);
  return found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Paths on this machine; a pattern of `*` and `?` in the last part stands for what it matches, sorted. */
export async function expand(paths: readonly string[], ctx: Pick<Ctx, 'templateDir'>): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const whole = resolveIn(path, ctx);
    const pattern = basename(whole);
    if (!/[*?]/.test(pattern)) {
      found.push(whole);
      continue;
    }
    const matcher = new RegExp(
      `^${pattern
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.')}$`,
    );
    const names = (await readdir(dirname(whole))).filter((name) => matcher.test(name)).sort();
    found.push(...names.map((name) => join(dirname(whole), name)));
  }
  return found;
}

/** Files that options for QEMU speak of: kernel, initrd, drives. */
function filesOfArguments(o: QemuSourceOptions): string[] {
  const files = (qemuArgs(o.qemuargs) ?? [])
    .filter(([name]) => ['-kernel', '-initrd', '-dtb', '-bios'].includes(name))
    .map(([, value = '']) => value);
  return [...files, ...drivesOfArguments(o)];
}

/** Files of the drives that options for QEMU add. */
export function drivesOfArguments(o: QemuSourceOptions): string[] {
  return (qemuArgs(o.qemuargs) ?? []).flatMap(([name, value = '']) => {
    if (['-cdrom', '-fda', '-hda', '-hdb'].includes(name)) return [value];
    const file = /(?:^|,)file=([^,]+)/.exec(value)?.[1];
    return name === '-drive' && file !== undefined && !isOwnDisk(file, o) ? [file] : [];
  });
}

/** Templates that name their drives name Packer's disk, too: that is the one that is there anyway. */
export function isOwnDisk(file: string, o: Pick<QemuSourceOptions, 'output_directory' | 'vm_name'>): boolean {
  const name = basename(file);
  if (o.vm_name !== undefined) return name === o.vm_name;
  return (
    name.startsWith('packer-') && (o.output_directory === undefined || dirname(file) === o.output_directory)
  );
}

function resolveIn(path: string, ctx: Pick<Ctx, 'templateDir'>): string {
  return isAbsolute(path) ? path : join(ctx.templateDir, path);
}

async function collect(path: string, name: string, ctx: Ctx, found: InputFile[]): Promise<void> {
  const info = await lstat(path).catch((cause: unknown) => {
    throw new IngotError('machine/no-such-source', `${path} cannot be read on this machine`, {
      hint: 'Paths in a template start at the folder of the template.',
      cause,
    });
  });
  if (info.isDirectory()) {
    for (const entry of (await readdir(path)).sort())
      await collect(join(path, entry), `${name}/${entry}`, ctx, found);
    return;
  }
  found.push({
    name,
    sha256: await rememberedHash(path, 'sha256', join(ctx.cacheDir, 'hashes'), ctx.signal),
  });
}
