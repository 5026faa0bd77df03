import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import type { Context } from '../../core/context.ts';
import { type Digest, digestOf } from '../../core/digest.ts';
import { IngotError } from '../../core/error.ts';
import { type Ignored, parseIgnore } from './ignore.ts';
import type { Instruction, Stage } from './parse.ts';

/**
 * Paths below the context that a build reads, sorted: what COPY and ADD name, with everything below it, without what
 * .dockerignore leaves out. The rest of the folder may change as it likes.
 */
export async function contextPaths(dir: string, stages: readonly Stage[]): Promise<string[]> {
  const file = join(dir, '.dockerignore');
  const ignored: Ignored = existsSync(file) ? parseIgnore(await readFile(file, 'utf8')) : () => false;
  const found = new Set<string>();
  for (const source of stages.flatMap(({ body }) => body.flatMap(sourcesOf))) {
    const from = literalPart(source);
    if (from === '..' || from.startsWith('../')) throw outside(source);
    const path = from === '.' ? '' : from;
    if (existsSync(join(dir, path))) await walk(dir, path, ignored, found);
    // The folders above keep their modes.
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
      found.add(path.slice(0, at));
  }
  return [...found].sort();
}

/** Names, kinds, modes and content of these paths. */
export async function contextDigest(dir: string, paths: readonly string[]): Promise<Digest> {
  const entries = [];
  for (const path of paths) {
    const info = await lstat(join(dir, path));
    const mode = info.mode & 0o7777;
    if (info.isSymbolicLink()) entries.push({ path, link: await readlink(join(dir, path)) });
    else if (info.isDirectory()) entries.push({ path, mode });
    else if (info.isFile()) entries.push({ path, mode, content: await hashOf(join(dir, path)) });
    else
      throw new IngotError('machine/special-file', `${join(dir, path)} is no regular file, folder or link`, {
        hint: 'Name it in .dockerignore: sockets, pipes and devices cannot be part of a build.',
      });
  }
  return digestOf(entries);
}

/** These paths as a tar archive, owned by root, their times `epoch`. */
export async function packContext(
  dir: string,
  paths: readonly string[],
  archive: string,
  ctx: Context,
): Promise<void> {
  await ctx.host.run(
    'tar',
    [
      '--create',
      `--file=${archive}`,
      '--format=posix',
      '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      `--mtime=@${ctx.epoch}`,
      '--no-recursion',
      `--directory=${dir}`,
      '--null',
      '--files-from=-',
    ],
    { input: paths.map((path) => `./${path}\0`).join('') },
  );
}

/** What an instruction takes from the context. */
function sourcesOf({ name, flags, rest }: Instruction): string[] {
  if (name === 'RUN')
    return (flags.mount ?? '').split('\n').flatMap((mount) => {
      const fields = new Map(mount.split(',').map((field) => field.split('=') as [string, string]));
      if ((fields.get('type') ?? 'bind') !== 'bind' || fields.has('from') || mount === '') return [];
      return [fields.get('source') ?? fields.get('src') ?? '.'];
    });
  if ((name !== 'COPY' && name !== 'ADD') || flags.from !== undefined) return [];
  const words = wordsOf(rest);
  return words.slice(0, -1).filter((word) => !/^(https?:|git@|<<)/.test(word));
}

/** Two forms: words, and a JSON list. */
function wordsOf(rest: string): string[] {
  if (rest.startsWith('['))
    try {
      const list: unknown = JSON.parse(rest);
      if (Array.isArray(list)) return list.map(String);
    } catch {
      // as engines have it: then these are words
    }
  return rest.split(/\s+/).map((word) => word.replace(/^(["'])(.*)\1$/, '$2'));
}

/** The folders in front of the first pattern or variable. */
function literalPart(source: string): string {
  const parts = normalize(`./${source.replace(/^\/+/, '')}`)
    .replace(/\/+$/, '')
    .split('/');
  const special = parts.findIndex((part) => /[*?[\\$]/.test(part));
  return (special < 0 ? parts : parts.slice(0, special)).join('/') || '.';
}

async function walk(dir: string, path: string, ignored: Ignored, found: Set<string>): Promise<void> {
  const info = await lstat(join(dir, path));
  if (path !== '' && !ignored(path)) found.add(path);
  // A folder that is left out may hold what a later line takes in again.
  if (info.isDirectory())
    for (const name of (await readdir(join(dir, path))).sort())
      await walk(dir, path === '' ? name : `${path}/${name}`, ignored, found);
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function outside(source: string): IngotError {
  return new IngotError('source/outside-context', `"${source}" leads out of the build context`, {
    hint: 'Set `context` to a folder that holds everything that the Dockerfile copies.',
  });
}
