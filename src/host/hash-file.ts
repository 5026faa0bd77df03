import { createHash } from 'node:crypto';
import { constants, open } from 'node:fs/promises';

const CHUNK = 4 << 20;

/**
 * SHA-256 of a file, in hexadecimal, read past the page cache where the filesystem allows that: a large file that was
 * just written past it would fill memory with what nobody reads again.
 */
export async function hashFile(path: string, signal: AbortSignal): Promise<string> {
  try {
    return await hashOpened(path, constants.O_RDONLY | constants.O_DIRECT, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
    return await hashOpened(path, constants.O_RDONLY, signal);
  }
}

async function hashOpened(path: string, flags: number, signal: AbortSignal): Promise<string> {
  await using file = await open(path, flags);
  const { size } = await file.stat();
  const hash = createHash('sha256');
  // One is hashed while the other is filled.
  let [filling, hashing] = [alignedBuffer(), alignedBuffer()];
  const fill = async (at: number): Promise<number> =>
    at < size ? (await file.read(filling, 0, CHUNK, at)).bytesRead : 0;
  let next = fill(0);
  for (let at = 0; ; ) {
    const length = await next;
    if (length === 0) return hash.digest('hex');
    signal.throwIfAborted();
    at += length;
    [filling, hashing] = [hashing, filling];
    next = fill(at);
    hash.update(hashing.subarray(0, length));
  }
}

/** Memory that begins at a page, as direct reads want it (open(2)): that of buffers which may grow does. */
function alignedBuffer(): Uint8Array {
  return new Uint8Array(Reflect.construct(ArrayBuffer, [CHUNK, { maxByteLength: CHUNK }]) as ArrayBuffer);
}
