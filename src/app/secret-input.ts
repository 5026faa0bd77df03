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
  if (!(await stat(file)).isDirectory()) return readYamlStream(await readFile(file, 'utf8'), file);
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
  return file === '-' ? await stdin() : await readFile(file, 'utf8');
}
