import { mkdir, open, readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { drivesOfArguments } from './inputs.ts';
import { makeTree } from './media.ts';
import type { QemuSourceOptions } from './options.ts';

/** What a NoCloud seed may hold; a network of its own has no meaning in a container. */
const NAMES = ['user-data', 'meta-data', 'vendor-data'];
const LABEL = 'cidata';
/** The volume's name in an ISO 9660 image (ECMA-119, 8.4: primary descriptor in sector 16, field at byte 41). */
const VOLUME = { offset: 16 * 2048 + 40, length: 32 };
/** Longest file that a seed may have. */
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * The NoCloud seed that the template gives its machine, by file name: on its own disc, or on one that qemuargs name.
 * `dir`: an empty folder of the caller's. Undefined where there is none.
 */
export async function seedOf(
  o: QemuSourceOptions,
  dir: string,
  ctx: Pick<Context, 'host' | 'templateDir'>,
): Promise<ReadonlyMap<string, Uint8Array> | undefined> {
  if (o.cd_label.toLowerCase() === LABEL) {
    const tree = await makeTree(o, join(dir, 'seed'), ctx);
    if (tree !== undefined) return await readSeed(tree);
  }
  for (const file of drivesOfArguments(o)) {
    const path = isAbsolute(file) ? file : join(ctx.templateDir, file);
    if (!(await isSeed(path))) continue;
    const tree = join(dir, 'seed-of-drive');
    await mkdir(tree);
    await ctx.host.run('xorriso', ['-osirrox', 'on', '-indev', path, '-extract', '/', tree]);
    return await readSeed(tree);
  }
  return undefined;
}

async function isSeed(path: string): Promise<boolean> {
  await using file = await open(path, 'r');
  const name = Buffer.alloc(VOLUME.length);
  const { bytesRead } = await file.read(name, 0, name.length, VOLUME.offset);
  return name.toString('latin1', 0, bytesRead).trim().toLowerCase() === LABEL;
}

async function readSeed(tree: string): Promise<Map<string, Uint8Array>> {
  const seed = new Map<string, Uint8Array>([
    ['meta-data', Buffer.from('instance-id: ingot\n')],
    ['user-data', Buffer.from('#cloud-config\n')],
  ]);
  for (const name of NAMES) {
    const data = await readFile(join(tree, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (data && data.length <= MOST_BYTES) seed.set(name, data);
  }
  return seed;
}
