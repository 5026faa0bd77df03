import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { IngotError } from '../core/error.ts';
import { readYamlStream } from '../secrets/read-yaml.ts';

export interface SecretInput {
  /** YAML or JSON; `-`: the text that `stdin` answers; a folder: all its files, in the order of their names. */
  readonly file: string;
  readonly stdin: () => Promise<string>;
}

/** The documents of a file, of a folder's files, or of standard input. */
export async function readDocuments({ file, stdin }: SecretInput): Promise<unknown[]> {
  if (file === '-') return readYamlStream(await stdin(), 'standard input');
  const isFolder = await reading(file, async () => (await stat(file)).isDirectory());
  if (!isFolder) return readYamlStream(await readTextInput({ file, stdin }), file);
  const names = (await readdir(file)).sort();
  const each = await Promise.all(names.map((name) => readDocuments({ file: join(file, name), stdin })));
  return each.flat();
}

/** The first document. Throws `secrets/bad-document` where there is none. */
export async function readFirstDocument(input: SecretInput): Promise<unknown> {
  const [first] = await readDocuments(input);
  if (first !== undefined) return first;
  throw new IngotError('secrets/bad-document', `${input.file} has no document`, {
    hint: 'Write a line a variable: NAME: value.',
  });
}

/** A file's text as it is. */
export async function readTextInput({ file, stdin }: SecretInput): Promise<string> {
  return file === '-' ? await stdin() : await reading(file, () => readFile(file, 'utf8'));
}

/** Throws `secrets/unreadable` for what the system refuses. */
async function reading<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw new IngotError('secrets/unreadable', `${file} can't be read: ${(cause as Error).message}`, {
      hint: 'Name a file after -f, or - for standard input.',
      cause,
    });
  }
}
