import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { copyFile, type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import type { ByteRange } from '../core/content-store.ts';
import type { Descriptor } from '../core/descriptor.ts';
import { type Digest, hexOf } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';
import { claimName, isDeadClaim } from '../core/claim.ts';

const CHUNK = 1024 * 1024;
const ZEROS = Buffer.alloc(CHUNK);

/** `blobs/sha256` of an image layout. A blob appears whole, on disk, under its digest, or not at all. */
export class BlobFolder {
  readonly #root: string;
  readonly #staging: string;

  constructor(root: string) {
    this.#root = root;
    this.#staging = join(root, '.ingot', 'staging');
  }

  path(digest: Digest): string {
    return join(this.#root, 'blobs', 'sha256', hexOf(digest));
  }

  async has(descriptor: Descriptor): Promise<boolean> {
    const found = await stat(this.path(descriptor.digest)).catch(absent);
    return found !== undefined && found.size === descriptor.size;
  }

  /** Bytes of a blob; a whole one is checked against its digest at the end. */
  async fetch(descriptor: Descriptor, range?: ByteRange): Promise<ReadableStream<Uint8Array>> {
    const path = this.path(descriptor.digest);
    const found = await stat(path).catch(absent);
    if (found === undefined) {
      throw new IngotError('store/not-found', `there is no content ${descriptor.digest} in ${this.#root}`, {
        hint: 'It was deleted, or never published here.',
      });
    }
    if (found.size !== descriptor.size) {
      throw corrupt(path, `it has ${found.size} bytes; expected ${descriptor.size}`);
    }
    if (range && range.end <= range.start)
      return Readable.toWeb(Readable.from([])) as ReadableStream<Uint8Array>;
    const file = createReadStream(path, { ...(range && { start: range.start, end: range.end - 1 }) });
    const source = range ? file : Readable.from(verified(file, descriptor, path));
    return Readable.toWeb(source) as ReadableStream<Uint8Array>;
  }

  async push(descriptor: Descriptor, body: () => ReadableStream<Uint8Array>): Promise<void> {
    if (await this.has(descriptor)) return;
    const target = this.path(descriptor.digest);
    await this.#publish(await this.#stagingPath(), 'wx', target, 0o444, async (file) => {
      const hash = createHash('sha256');
      let size = 0;
      for await (const chunk of body()) {
        size += chunk.length;
        if (size > descriptor.size) break;
        hash.update(chunk);
        await file.writeFile(chunk);
      }
      check(descriptor, { size, digest: `sha256:${hash.digest('hex')}` });
    });
  }

  /** As {@link push}, from a file: blocks are shared where the filesystem can, holes stay holes. */
  async pushFile(descriptor: Descriptor, source: string): Promise<void> {
    if (await this.has(descriptor)) return;
    const staged = await this.#stagingPath();
    // A failed clone leaves no file behind. What is shared is measured in the clone, which nobody else changes.
    const shared = await copyFile(source, staged, constants.COPYFILE_FICLONE_FORCE).then(
      () => true,
      () => false,
    );
    await this.#publish(staged, shared ? 'r+' : 'wx', this.path(descriptor.digest), 0o444, async (file) => {
      check(descriptor, shared ? await copySparse(staged) : await copySparse(source, file));
    });
  }

  async delete(digest: Digest): Promise<void> {
    await rm(this.path(digest), { force: true });
  }

  /** Removes what killed processes left half written. */
  async sweep(): Promise<void> {
    for (const name of (await readdir(this.#staging).catch(absent)) ?? []) {
      if (await isDeadClaim(this.#staging, name)) await rm(join(this.#staging, name), { force: true });
    }
  }

  /** Writes a file beside the blobs and renames it to `target` when it is on the disk. */
  async replace(target: string, text: string): Promise<void> {
    await this.#publish(await this.#stagingPath(), 'wx', target, 0o644, (file) => file.writeFile(text));
  }

  async #stagingPath(): Promise<string> {
    await mkdir(this.#staging, { recursive: true });
    return join(this.#staging, await claimName());
  }

  async #publish(
    staged: string,
    flags: 'wx' | 'r+',
    target: string,
    mode: number,
    fill: (file: FileHandle) => Promise<void>,
  ): Promise<void> {
    try {
      await using file = await open(staged, flags, 0o600);
      await fill(file);
      // Not the umask's say.
      await file.chmod(mode);
      await file.sync();
      await rename(staged, target);
    } catch (error) {
      await rm(staged, { force: true });
      throw error;
    }
    await syncFolder(dirname(target));
  }
}

interface Measured {
  readonly size: number;
  readonly digest: string;
}

function check(descriptor: Descriptor, { size, digest }: Measured): void {
  if (size === descriptor.size && digest === descriptor.digest) return;
  const got = size === descriptor.size ? digest : `${size > descriptor.size ? 'more' : `${size}`} bytes`;
  throw new IngotError(
    'store/digest-mismatch',
    `content that should be ${descriptor.digest} (${descriptor.size} bytes) is ${got}; it was not stored`,
    { hint: 'The file changed since it was measured, or was damaged on the way. Build or fetch it again.' },
  );
}

/** Measures a file and, where `target` is given, copies it there without its blocks of zeros. */
async function copySparse(source: string, target?: FileHandle): Promise<Measured> {
  await using input = await open(source, 'r');
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(CHUNK);
  let size = 0;
  for (;;) {
    const { bytesRead } = await input.read(buffer, 0, CHUNK, size);
    if (bytesRead === 0) break;
    const chunk = buffer.subarray(0, bytesRead);
    hash.update(chunk);
    if (target && !chunk.equals(ZEROS.subarray(0, bytesRead))) await target.write(chunk, 0, bytesRead, size);
    size += bytesRead;
  }
  await target?.truncate(size);
  return { size, digest: `sha256:${hash.digest('hex')}` };
}

async function* verified(
  file: AsyncIterable<Buffer>,
  descriptor: Descriptor,
  path: string,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const chunk of file) {
    hash.update(chunk);
    yield chunk;
  }
  const digest = `sha256:${hash.digest('hex')}`;
  if (digest !== descriptor.digest) throw corrupt(path, `its digest is ${digest}`);
}

function corrupt(path: string, what: string): IngotError {
  return new IngotError('store/corrupt', `${path} is damaged: ${what}`, {
    hint: 'Delete the file and publish the release again from the same lock.',
  });
}

/** Makes a rename last (fsync(2): the folder has to be synced too). */
async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
