import { chmod, copyFile, lstat, mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { IngotError } from '../core/error.ts';
import { packageRoot } from './package-root.ts';

export interface InitReport {
  /** Written files, sorted. */
  readonly files: readonly string[];
}

/** In a checkout the example may have been built, by the demo. */
const MADE_BY_BUILDS = /^(?:ingot\.lock\.json$|manifest\.json$|output-)/;

/** `ingot init`: writes the example of examples/web into a folder. Overwrites nothing. */
export async function init(options: { readonly folder: string }): Promise<InitReport> {
  const example = join(packageRoot(), 'examples/web');
  const entries = await readdir(example, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(example.length + 1))
    .filter((name) => !MADE_BY_BUILDS.test(name))
    .sort();
  const present: string[] = [];
  for (const name of names) {
    if (await exists(join(options.folder, name))) present.push(name);
  }
  if (present.length > 0) {
    throw new IngotError('app/init-exists', `${options.folder} already has ${present.join(', ')}`, {
      hint: 'Name another folder: ingot init web. Nothing was written.',
      exitCode: 2,
    });
  }
  const files: string[] = [];
  for (const name of names) {
    const target = join(options.folder, name);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(join(example, name), target);
    await chmod(target, name.endsWith('.sh') ? 0o755 : 0o644);
    files.push(target);
  }
  return { files };
}

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
      throw error;
    },
  );
}
