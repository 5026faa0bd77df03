import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { IngotError } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';
import { GUEST_FILES, WANTED_UNITS, WANTS_FOLDER } from './guest.ts';
import { at, fileExists, type RootFilesystem } from './root-filesystem.ts';

/**
 * Adds the reporter to the root filesystem of `<dir>/<disk>`, a copy that is thrown away. Nothing is mounted:
 * debugfs writes the blocks, so a hostile filesystem never reaches the host's kernel.
 */
export async function injectReporter(
  host: Host,
  dir: string,
  disk: string,
  root: RootFilesystem,
): Promise<void> {
  const staged = join(dir, 'guest');
  await mkdir(staged);
  // debugfs fails on a folder that exists, and goes on; what counts is proven below.
  const folders = new Set([WANTS_FOLDER, ...GUEST_FILES.map(({ path }) => dirname(path))]);
  const commands = [...folders].map((folder) => `mkdir ${folder}`);
  for (const [i, file] of GUEST_FILES.entries()) {
    await writeFile(join(staged, String(i)), file.content, { mode: 0o644 });
    commands.push(`rm ${file.path}`, `write guest/${i} ${file.path}`);
  }
  for (const unit of WANTED_UNITS) commands.push(`symlink ${WANTS_FOLDER}/${unit} ../${unit}`);
  await writeFile(join(staged, 'commands'), `${commands.join('\n')}\n`);
  const target = at(disk, root.offset);
  const written = await host.run('debugfs', ['-w', '-f', 'guest/commands', target], { cwd: dir });
  for (const path of [
    ...GUEST_FILES.map((f) => f.path),
    ...WANTED_UNITS.map((u) => `${WANTS_FOLDER}/${u}`),
  ]) {
    if (await fileExists(host, dir, disk, root.offset, path)) continue;
    throw new IngotError(
      'boot/not-injected',
      `the reporter's ${path} could not be written into the disk's copy`,
      {
        hint: 'Is the root filesystem full, or was it not unmounted in order?',
        output: written.stderr.trim().split('\n').slice(-10),
      },
    );
  }
}
