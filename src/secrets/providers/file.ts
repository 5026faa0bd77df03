import { readFile } from 'node:fs/promises';
import { IngotError } from '../../core/error.ts';
import type { Provider } from '../provider.ts';
import { notFound } from '../refusal.ts';
import { encodeText } from '../encode.ts';

const MOST_BYTES = 32 * 1024 * 1024;

/** `ref+file://relative/path`, `ref+file:///absolute/path`; `?encode=base64` for what is no text. */
export const file: Provider = {
  async text(request) {
    const path = request.path.replace(/\/$/, '');
    return encodeText(await readSecretFile(path), request.param('encode'));
  },
  async document(request) {
    const { readYaml } = await import('../document.ts');
    const path = request.path.replace(/\/$/, '');
    // An empty file is an empty map.
    return readYaml((await readSecretFile(path)).toString('utf8'), path) ?? {};
  },
};

/** Reads a file that holds secrets. Throws `secrets/not-found`, `secrets/denied`. */
export async function readSecretFile(path: string): Promise<Buffer> {
  try {
    const content = await readFile(path);
    if (content.length <= MOST_BYTES) return content;
    throw new IngotError(
      'secrets/bad-answer',
      `${path} has ${content.length} bytes; at most ${MOST_BYTES} are read`,
      {
        hint: 'Name the file that has the secret.',
      },
    );
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw notFound(`file ${path}`);
    if (cause instanceof IngotError) throw cause;
    throw new IngotError('secrets/denied', `${path} can't be read: ${(cause as Error).message}`, {
      hint: 'Check that it is a file and that you may read it.',
      cause,
    });
  }
}
