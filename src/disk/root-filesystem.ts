import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/error.ts';
import { settleInodeTimes } from './ext4-times.ts';

export interface RootFilesystemOptions {
  /** Raw disk file, and where in it the filesystem goes, in bytes. */
  readonly disk: string;
  readonly offset: number;
  readonly size: number;
  readonly uuid: string;
  readonly hashSeed: string;
  readonly label: string;
}

/** Bytes that a tree takes on an ext4 of 4 KiB blocks, metadata included; an upper estimate. */
export function contentSize(dir: string): number {
  const seen = new Set<number>();
  let bytes = 0;
  const visit = (path: string): void => {
    const stat = lstatSync(path);
    if (stat.nlink > 1 && !stat.isDirectory()) {
      if (seen.has(stat.ino)) return;
      seen.add(stat.ino);
    }
    bytes += 256 + (stat.isFile() ? Math.ceil(stat.size / 4096) * 4096 : stat.isDirectory() ? 4096 : 0);
    if (stat.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
  };
  visit(dir);
  return bytes;
}

/**
 * Writes a tree as an ext4 filesystem into a raw disk, without mounting it. `mke2fs -d` takes names in the order in
 * which the kernel lists them, so the tree is first laid out on a tmpfs whose order we know and check; equal trees
 * give equal bytes on every machine.
 */
export async function writeRootFilesystem(
  dir: string,
  o: RootFilesystemOptions,
  ctx: Context,
): Promise<void> {
  await using scratch = await ctx.host.scratch(ctx.workDir, 'root-');
  const staged = join(scratch.dir, 'tree');
  mkdirSync(staged);
  await using _mount = await ctx.host.mountTmpfs(staged, contentSize(dir) + 256 * 1024 * 1024);
  await layOut(dir, staged, scratch.dir, ctx);
  const blocks = Math.floor(o.size / 4096);
  await ctx.host.run(
    'mke2fs',
    [
      '-q',
      '-F',
      '-t',
      'ext4',
      '-b',
      '4096',
      '-U',
      o.uuid,
      '-L',
      o.label,
      '-E',
      `offset=${o.offset},hash_seed=${o.hashSeed},root_owner=0:0,lazy_itable_init=1,lazy_journal_init=1`,
      '-d',
      staged,
      o.disk,
      String(blocks),
    ],
    { env: { E2FSPROGS_FAKE_TIME: String(ctx.epoch), MKE2FS_CONFIG: '/dev/null' } },
  );
  settleInodeTimes(o.disk, o.offset, ctx.epoch);
}

/** Copies a tree so that every folder lists its names in ascending order of their bytes. */
async function layOut(dir: string, staged: string, scratch: string, ctx: Context): Promise<void> {
  const ascending = listsInOrderOfCreation(staged);
  const list = join(scratch, 'list');
  await writeFile(list, namesInOrder(dir, ascending).join('\0'));
  const common = "--xattrs --xattrs-include='*' --numeric-owner --format=posix";
  // Names go by a file and folders by variables: nothing of the image becomes a part of the command.
  const script = `tar --create --file=- ${common} --directory="$FROM" --no-recursion --null --no-unquote --verbatim-files-from --files-from="$LIST" |
    tar --extract --file=- ${common} --preserve-permissions --same-owner --delay-directory-restore --directory="$TO"`;
  await ctx.host.run('bash', ['-o', 'pipefail', '-c', script], {
    env: { LIST: list, FROM: dir, TO: staged },
    signal: ctx.signal,
  });
  checkOrder(staged);
}

/** Whether this kernel's tmpfs lists names in the order in which they were made, or the other way round. */
function listsInOrderOfCreation(staged: string): boolean {
  const probe = mkdtempSync(join(staged, 'probe-'));
  for (const name of ['a', 'b', 'c']) writeFileSync(join(probe, name), '');
  const order = readdirSync(probe).join('');
  rmSync(probe, { recursive: true });
  return order !== 'cba';
}

/** Every path of a tree, folders before what is in them, siblings sorted by bytes. */
function namesInOrder(dir: string, ascending: boolean): string[] {
  const names: string[] = ['.'];
  const visit = (path: string): void => {
    const entries = readdirSync(join(dir, path), { withFileTypes: true }).sort((a, b) =>
      byBytes(a.name, b.name),
    );
    if (!ascending) entries.reverse();
    for (const entry of entries) {
      const below = `${path}/${entry.name}`;
      names.push(below);
      if (entry.isDirectory()) visit(below);
    }
  };
  visit('.');
  return names;
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Throws when a folder does not list as expected: better no image than one that differs from machine to machine. */
function checkOrder(path: string): void {
  const entries = readdirSync(path, { withFileTypes: true });
  for (let i = 1; i < entries.length; i++) {
    const [before, after] = [entries[i - 1]?.name ?? '', entries[i]?.name ?? ''];
    if (byBytes(before, after) >= 0) {
      throw new IngotError(
        'disk/order',
        `${path} lists "${before}" before "${after}"; expected ascending order`,
        {
          hint: "This kernel's tmpfs has an order that Ingot does not know; please report the kernel's version.",
        },
      );
    }
  }
  for (const entry of entries) if (entry.isDirectory()) checkOrder(join(path, entry.name));
}
