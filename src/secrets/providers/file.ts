import { createReadStream } from 'node:fs';
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
    const { readYaml } = await import('../read-yaml.ts');
    const path = request.path.replace(/\/$/, '');
    // An empty file is an empty map.
    return readYaml((await readSecretFile(path)).toString('utf8'), path) ?? {};
  },
};

/** Reads a file that holds secrets. Throws `secrets/not-found`, `secrets/denied`. */
export async function readSecretFile(path: string): Promise<Buffer> {
  try {
    const content = await readAtMost(path, MOST_BYTES);
    if (content) return content;
    throw new IngotError(
      'secrets/bad-answer',
      `${path} has more than ${MOST_BYTES} bytes; no secret is as long`,
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

/** A file's content; undefined where it has more bytes. Devices and pipes say no size, so they are read to find out. */
async function readAtMost(path: string, most: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of createReadStream(path)) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > most) return undefined;
  }
  return Buffer.concat(chunks);
}
