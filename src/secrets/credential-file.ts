import { readFile } from 'node:fs/promises';
import { notConfigured } from './refusal.ts';

/** A token or password in a file, without the blanks around it. Throws `secrets/not-configured`. */
export async function readCredential(backend: string, path: string): Promise<string> {
  return (await readNamed(backend, path)).trim();
}

/** A file that the configuration names, as it is. Throws `secrets/not-configured`. */
export async function readNamed(backend: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw notConfigured(backend, `${path} can't be read: ${(cause as Error).message}`, 'Correct its name.');
  }
}
