/**
 * Source of the pool's workers: plain JavaScript on node's own modules, as a string, so that it runs alike from
 * TypeScript sources and from a bundle. Jobs and answers are described in pool.ts.
 */
export const workerSource = String.raw`
'use strict';
const { parentPort } = require('node:worker_threads');
const { readSync, openSync, closeSync } = require('node:fs');
const { createHash } = require('node:crypto');
const zlib = require('node:zlib');

const BLOCK = 65536;
const ZEROS = Buffer.alloc(BLOCK);

function deflate(chunk, windowBits, level) {
  return zlib.deflateRawSync(chunk, {
    level, windowBits, memLevel: 9,
    finishFlush: zlib.constants.Z_SYNC_FLUSH,
    chunkSize: chunk.length + (chunk.length >> 3) + 256,
  });
}

// RFC 1950, section 8.2, four bytes at a time; sums over 2048 bytes fit in 31 bits. Blocks are multiples of four.
function adler32(bytes) {
  let a = 1, b = 0;
  for (let i = 0; i < bytes.length; ) {
    for (const end = Math.min(i + 2048, bytes.length); i < end; i += 4) {
      const w = bytes[i], x = bytes[i + 1], y = bytes[i + 2], z = bytes[i + 3];
      b = (b + 4 * a + 4 * w + 3 * x + 2 * y + z) | 0;
      a = (a + w + x + y + z) | 0;
    }
    a %= 65521; b %= 65521;
  }
  return b * 65536 + a;
}

function readFully(fd, into, length, position) {
  let done = 0;
  while (done < length) {
    const n = readSync(fd, into, done, length - done, position + done);
    if (n === 0) break;
    done += n;
  }
  return done;
}

function blocks({ fd, offset, length, buffer, wants, level }) {
  const data = Buffer.from(buffer);
  if (readFully(fd, data, length, offset) !== length) throw new Error('the disk ended before its size');
  const span = Math.ceil(length / BLOCK) * BLOCK;
  data.fill(0, length, span);
  const found = [], parts = [], lengths = [], adlers = [], crcs = [];
  for (let at = 0; at < span; at += BLOCK) {
    const block = data.subarray(at, at + BLOCK);
    if (block.equals(ZEROS)) continue;
    found.push(at);
    if (wants.deflated) { const part = deflate(block, 12, level); parts.push(part); lengths.push(part.length); }
    if (wants.adler32) adlers.push(adler32(block));
    if (wants.crc32) crcs.push(zlib.crc32(block));
  }
  const total = lengths.reduce((sum, n) => sum + n, 0);
  const packed = new Uint8Array(total);
  let at = 0;
  for (const part of parts) { packed.set(part, at); at += part.length; }
  return [{ buffer, found, packed: packed.buffer, lengths, adlers, crcs }, [buffer, packed.buffer]];
}

function gzip({ bytes, level }) {
  const packed = new Uint8Array(deflate(bytes, 15, level));
  return [{ packed, crc32: zlib.crc32(bytes) }, [packed.buffer]];
}

function hash({ path, start, end }) {
  const sha = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1 << 20);
  const fd = openSync(path, 'r');
  try {
    for (let at = start; at < end; ) {
      const n = readSync(fd, buffer, 0, Math.min(buffer.length, end - at), at);
      if (n === 0) throw new Error('the file ended before its size');
      sha.update(n === buffer.length ? buffer : buffer.subarray(0, n));
      at += n;
    }
  } finally {
    closeSync(fd);
  }
  return [{ sha256: sha.digest('hex') }, []];
}

const kinds = { blocks, gzip, hash };
parentPort.on('message', (job) => {
  try {
    const [answer, transfer] = kinds[job.kind](job);
    parentPort.postMessage({ answer }, transfer);
  } catch (error) {
    parentPort.postMessage({ error });
  }
});
`;
