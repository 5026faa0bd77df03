import { readdir, stat } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import { IngotError } from '../core/error.ts';
import type { PostProcessor } from '../core/plugin.ts';

/** Packer's keys: developer.hashicorp.com/packer/docs/post-processors/artifice. */
const artificeSpec = bodySpec(
  {
    files: attr.strings('Files that make the new artifact; * ? [] match names in a folder.', {
      required: true,
    }),
  },
  {},
  (o): OptionProblem[] =>
    o.files.length === 0 ? [{ path: ['files'], message: 'expected at least one file; got none' }] : [],
);

/** `post-processor "artifice"`: what follows in the chain works on these files instead of what the build made. */
export const artificePostProcessor: PostProcessor<OptionsOf<typeof artificeSpec>> = {
  type: 'artifice',
  version: 1,
  schema: async () => artificeSpec,

  async process(_artifact, options, ctx) {
    const files: string[] = [];
    for (const pattern of options.files) {
      const found = await glob(isAbsolute(pattern) ? pattern : join(ctx.templateDir, pattern));
      if (found.length === 0) {
        throw new IngotError('post-processor/no-such-file', `no file matches "${pattern}"`, {
          hint: `Relative paths start at ${ctx.templateDir}.`,
        });
      }
      files.push(...found.filter((file) => !files.includes(file)));
    }
    const names = files.map((file) => relative(ctx.templateDir, file)).join(', ');
    const made = {
      builderId: 'packer.post-processor.artifice',
      id: '',
      files,
      description: `Created artifact from files: ${names}`,
    };
    return { artifact: made, keep: true };
  },
};

/** Go's filepath.Glob: `*`, `?` and `[…]` within one name; sorted. */
async function glob(pattern: string): Promise<string[]> {
  let found = ['/'];
  for (const part of pattern.split('/').filter((p) => p !== '' && p !== '.')) {
    const next: string[] = [];
    for (const folder of found) {
      if (/[*?[]/.test(part)) next.push(...(await matching(folder, part)));
      else if (await exists(join(folder, part))) next.push(join(folder, part));
    }
    found = next;
  }
  return found;
}

async function matching(folder: string, part: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  return names
    .filter((name) => matches(part, name))
    .sort()
    .map((name) => join(folder, name));
}

/** Linear in the name for each star, whatever the pattern holds. */
function matches(pattern: string, name: string): boolean {
  const items = pattern.match(/\\.|\[\^?[^\]]*\]|[\s\S]/gu) ?? [];
  const chars = Array.from(name);
  let item = 0;
  let at = 0;
  let star = -1;
  let mark = 0;
  while (at < chars.length) {
    if (items[item] === '*') {
      star = item++;
      mark = at;
    } else if (item < items.length && matchesOne(items[item] as string, chars[at] as string)) {
      item++;
      at++;
    } else if (star >= 0) {
      item = star + 1;
      at = ++mark;
    } else return false;
  }
  while (items[item] === '*') item++;
  return item === items.length;
}

function matchesOne(item: string, char: string): boolean {
  if (item === '?') return true;
  if (item.length > 1 && item.startsWith('\\')) return item.slice(1) === char;
  if (item.length < 3 || !item.startsWith('[')) return item === char;
  const negated = item[1] === '^';
  const inside = Array.from(item.slice(negated ? 2 : 1, -1));
  let hit = false;
  for (let i = 0; i < inside.length; i++) {
    const low = inside[i] as string;
    const isRange = inside[i + 1] === '-' && i + 2 < inside.length;
    const high = isRange ? (inside[i + 2] as string) : low;
    if (isRange) i += 2;
    hit ||= low <= char && char <= high;
  }
  return hit !== negated;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
      throw error;
    },
  );
}
