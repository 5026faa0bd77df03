import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { IngotError } from '../../core/error.ts';
import { explainSystemError } from '../../core/system-error.ts';
import { templateName } from './fill.ts';
import { MAX_BYTES } from './part.ts';
import { DATA_KINDS, type DataKind } from './providers.ts';
import type { InputFile } from './render.ts';

/**
 * Files of a folder by their names: `user-data`, `vendor-data`, `meta-data`, `network-config`, each also with `.yaml`,
 * `.yml`, and the ending of a template; `user-data` and `vendor-data` may be folders, whose files are parts in the
 * order of their names. Throws `render/no-input`.
 */
export async function readFolder(folder: string): Promise<InputFile[]> {
  const names = (await list(folder)).filter((name) => kindOf(name) !== undefined);
  const files: InputFile[] = [];
  for (const kind of DATA_KINDS) {
    const own = names.filter((name) => kindOf(name) === kind);
    if (own.length > 1)
      throw new IngotError('render/no-input', `${folder} has ${own.join(' and ')}; expected one of them`, {
        hint: 'Several parts go into a folder user-data/.',
        exitCode: 2,
      });
    for (const name of own) files.push(...(await readInput(kind, join(folder, name))));
  }
  if (files.length > 0) return files;
  throw new IngotError('render/no-input', `${folder} has none of ${DATA_KINDS.join(', ')}`, {
    hint: 'Name the folder that holds them, or give files: --user-data web.yaml.',
    exitCode: 2,
  });
}

/** A file, or the files of a folder. */
export async function readInput(kind: DataKind, path: string): Promise<InputFile[]> {
  if (!(await stat(path).catch(unreadable(path))).isDirectory())
    return [{ kind, name: path, bytes: await readBounded(path) }];
  if (kind === 'meta-data' || kind === 'network-config')
    throw new IngotError('render/no-input', `${path} is a folder; expected a file`, { exitCode: 2 });
  const names = (await list(path)).filter((name) => !name.startsWith('.'));
  return await Promise.all(
    names.map(async (name) => ({ kind, name: join(path, name), bytes: await readBounded(join(path, name)) })),
  );
}

/** A file's bytes, or one more than may be: it may be a device without end. */
export async function readBounded(path: string): Promise<Buffer> {
  await using file = await open(path).catch(unreadable(path));
  const buffer = Buffer.alloc(MAX_BYTES + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
    length += bytesRead;
    if (bytesRead === 0 || length === buffer.length) return Buffer.from(buffer.subarray(0, length));
  }
}

async function list(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(unreadable(folder))).sort();
}

function kindOf(name: string): DataKind | undefined {
  const bare = templateName(basename(name)).name.replace(/\.ya?ml$/, '');
  return DATA_KINDS.find((kind) => kind === bare);
}

function unreadable(path: string): (error: unknown) => never {
  return (error) => {
    const explained = explainSystemError(error, { place: path });
    if (explained.code.startsWith('host/no-')) throw explained;
    throw new IngotError('render/no-input', `${path} can't be read: ${(error as Error).message}`, {
      exitCode: 2,
      cause: error,
    });
  };
}
