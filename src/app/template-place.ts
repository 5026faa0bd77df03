import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { IngotError } from '../core/error.ts';

/** Where a template is, and where the relative paths in it start. */
export interface TemplatePlace {
  /** Folder of the template, absolute. */
  readonly dir: string;
  /** Image files that speak of it, absolute, sorted. */
  readonly imageFiles: readonly string[];
  /** Relative paths start here. */
  readonly baseDir: string;
  /** What `path.root` answers: the template's folder, seen from `baseDir`. */
  readonly root: string;
}

/**
 * Finds the image files of a template: for a folder all `*.ingot.hcl` in it, for one template `web.pkr.hcl` only
 * `web.ingot.hcl`. With an image file, paths start at the template's folder, so that a build does not depend on where
 * it was started; a template alone is Packer's, where they start at the current folder.
 */
export async function placeOf(path: string, imageFile: string | undefined): Promise<TemplatePlace> {
  const cwd = process.cwd();
  const isFolder = path !== '-' && (await isDirectory(path));
  const dir = path === '-' ? cwd : isFolder ? resolve(path) : dirname(resolve(path));
  const imageFiles =
    imageFile === undefined ? await imageFilesFor(path, dir, isFolder) : [resolve(imageFile)];
  if (imageFiles.length > 0) return { dir, imageFiles, baseDir: dir, root: '.' };
  return { dir, imageFiles, baseDir: cwd, root: isFolder ? path : dirname(path) };
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    throw new IngotError('template/no-such-file', `there is no template at ${path}`, {
      hint: 'Give the path of a template file or of the folder it is in.',
      cause,
    });
  }
}

async function imageFilesFor(path: string, dir: string, isFolder: boolean): Promise<string[]> {
  if (path === '-') return [];
  const names = (await readdir(dir)).filter((name) => name.endsWith('.ingot.hcl')).sort();
  const own = basename(path).replace(/\.pkr\.(hcl|json)$/, '.ingot.hcl');
  return names.filter((name) => isFolder || name === own).map((name) => join(dir, name));
}
