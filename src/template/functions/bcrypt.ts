import { randomBytes } from 'node:crypto';
import { piWords } from './blowfish-tables.ts';
import { FunctionError } from './function.ts';

const ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const MAGIC = Buffer.from('OrpheanBeholderScryDoubt');

let initial: Uint32Array | undefined;

/**
 * A password hash of OpenBSD's bcrypt (Provos and Mazières 1999, version 2a), as /etc/shadow takes it. 2^`cost` rounds;
 * a longer text than 72 bytes is refused, since the rest of it would not count.
 */
export function bcrypt(password: string, cost: number, salt: Uint8Array = randomBytes(16)): string {
  const key = Buffer.from(`${password}\0`);
  if (!Number.isInteger(cost) || cost < 4 || cost > 16) {
    throw new FunctionError(`the cost must be a whole number from 4 to 16, got ${cost}`, 1);
  }
  if (key.length - 1 > 72) throw new FunctionError('a text of more than 72 bytes cannot be hashed', 0);
  const words = Uint32Array.from((initial ??= piWords()));
  expandKey(words, key, salt);
  for (let round = 2 ** cost; round > 0; round--) {
    expandKey(words, key, undefined);
    expandKey(words, salt, undefined);
  }
  const out = Buffer.alloc(24);
  for (let at = 0; at < 24; at += 8) {
    const block = new Uint32Array([MAGIC.readUInt32BE(at), MAGIC.readUInt32BE(at + 4)]);
    for (let i = 0; i < 64; i++) encrypt(words, block);
    out.writeUInt32BE(block[0] as number, at);
    out.writeUInt32BE(block[1] as number, at + 4);
  }
  return `$2a$${String(cost).padStart(2, '0')}$${encode(salt)}${encode(out.subarray(0, 23))}`;
}

/** Blowfish's key schedule, with a salt mixed in. `words`: subkeys, then the boxes. */
function expandKey(words: Uint32Array, key: Uint8Array, salt: Uint8Array | undefined): void {
  const cursor = { at: 0 };
  for (let i = 0; i < 18; i++) words[i] = (words[i] as number) ^ nextWord(key, cursor);
  const block = new Uint32Array(2);
  const saltAt = { at: 0 };
  for (let i = 0; i < words.length; i += 2) {
    if (salt) {
      block[0] = (block[0] as number) ^ nextWord(salt, saltAt);
      block[1] = (block[1] as number) ^ nextWord(salt, saltAt);
    }
    encrypt(words, block);
    words[i] = block[0] as number;
    words[i + 1] = block[1] as number;
  }
}

/** The next four bytes, going round. */
function nextWord(bytes: Uint8Array, cursor: { at: number }): number {
  let word = 0;
  for (let i = 0; i < 4; i++) {
    word = (word << 8) | (bytes[cursor.at] as number);
    cursor.at = (cursor.at + 1) % bytes.length;
  }
  return word;
}

/** One block through Blowfish's 16 rounds, in place. */
function encrypt(words: Uint32Array, block: Uint32Array): void {
  let left = block[0] as number;
  let right = block[1] as number;
  for (let i = 0; i < 16; i++) {
    left ^= words[i] as number;
    const a = words[18 + (left >>> 24)] as number;
    const b = words[274 + ((left >>> 16) & 0xff)] as number;
    const c = words[530 + ((left >>> 8) & 0xff)] as number;
    const d = words[786 + (left & 0xff)] as number;
    right ^= (((a + b) ^ c) + d) | 0;
    [left, right] = [right, left];
  }
  block[0] = right ^ (words[17] as number);
  block[1] = left ^ (words[16] as number);
}

/** bcrypt's own base64: another alphabet, no padding. */
function encode(bytes: Uint8Array): string {
  let out = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b, c] = bytes.subarray(i, i + 3);
    const word = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
    const digits = c !== undefined ? 4 : b !== undefined ? 3 : 2;
    for (let d = 0; d < digits; d++) out += ALPHABET[(word >> (18 - 6 * d)) & 63];
  }
  return out;
}
