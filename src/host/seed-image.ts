import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '../core/host.ts';

/** Files by their names, at the top of the filesystem. */
export type SeedFiles = Readonly<Record<string, string | Uint8Array>>;

/** Label by which cloud-init finds a seed (cloud-init docs, datasources/nocloud). */
const LABEL = 'CIDATA';
/** Any moment will do that FAT can write: equal files make equal images. */
const EPOCH = '1704067200';
const MIB = 1 << 20;

/**
 * Writes a filesystem with a NoCloud seed into `target`: `vfat` for a plain disk, which every kernel can read, cloud
 * kernels without a CD-ROM driver too; `iso` for hypervisors that take discs. `work`: a folder for the files on their
 * way. Equal files make equal images.
 */
export async function writeSeedImage(
  host: Host,
  work: string,
  target: string,
  kind: 'iso' | 'vfat',
  files: SeedFiles,
): Promise<void> {
  const dir = join(work, 'seed');
  await mkdir(dir, { recursive: true });
  const names = Object.keys(files).sort();
  for (const name of names) await writeFile(join(dir, name), files[name] as string | Uint8Array);
  const image = join(work, 'seed.img');
  const options = { cwd: dir, env: { SOURCE_DATE_EPOCH: EPOCH, MTOOLS_SKIP_CHECK: '1' } };
  if (kind === 'iso') await writeIso(host, image, names, options);
  else await writeFat(host, image, names, files, options);
  if (image !== target) await rename(image, target);
}

type RunIn = { readonly cwd: string; readonly env: Readonly<Record<string, string>> };

async function writeFat(
  host: Host,
  image: string,
  names: readonly string[],
  files: SeedFiles,
  options: RunIn,
): Promise<void> {
  const bytes = names.reduce((sum, name) => sum + Buffer.byteLength(files[name] as string), 0);
  // Twice what it holds, for the clusters that are not full; 512 bytes a sector.
  const sectors = (Math.ceil((2 * bytes) / MIB) + 1) * (MIB / 512);
  await host.run(
    'mformat',
    ['-i', image, '-C', '-T', String(sectors), '-N', '1d5eed00', '-v', LABEL, '::'],
    options,
  );
  await host.run('mcopy', ['-i', image, ...names, '::'], options);
}

async function writeIso(host: Host, image: string, names: readonly string[], options: RunIn): Promise<void> {
  const dated = ['--set_all_file_dates', `=${EPOCH}`, `--modification-date=2024010100000000`];
  await host.run(
    'xorriso',
    ['-as', 'mkisofs', '-quiet', '-o', image, '-V', LABEL, '-J', '-r', ...dated, ...names],
    options,
  );
}
