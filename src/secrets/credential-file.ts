import { readFile } from 'node:fs/promises';
import { notConfigured } from './refusal.ts';

/** A token or password in a file, without the blanks around it. Throws `secrets/not-configured`. */
export async function readCredential(backend: string, path: string, variable?: string): Promise<string> {
  return (await readNamed(backend, path, variable)).trim();
}

/** A file that the configuration names, or a variable, as it is. Throws `secrets/not-configured`. */
export async function readNamed(backend: string, path: string, variable?: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const what = variable === undefined ? path : `${variable} names ${path}, which`;
    throw notConfigured(backend, `${what} can't be read: ${(cause as Error).message}`, 'Correct its name.');
  }
}
