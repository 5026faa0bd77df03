import { IngotError } from '../../core/error.ts';

const CHARSET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const CHECKSUM_LENGTH = 6;

/** The bytes of a Bech32 text with the given prefix (BIP 173, without its limit of 90 characters, as age has it). */
export function decodeBech32(text: string, prefix: string): Buffer {
  const lower = text.toLowerCase();
  const data = Array.from(lower.slice(prefix.length + 1), (c) => CHARSET.indexOf(c));
  const isMixed = text !== lower && text !== text.toUpperCase();
  const isWhole = lower.startsWith(`${prefix}1`) && data.length > CHECKSUM_LENGTH && !data.includes(-1);
  if (isMixed || !isWhole || checksum([...expand(prefix), ...data]) !== 1) {
    throw new IngotError('secrets/bad-key', `this is no age key: expected ${prefix.toUpperCase()}1… whole`, {
      hint: 'Copy the key anew from the file that age-keygen wrote.',
    });
  }
  return regroup(data.slice(0, -CHECKSUM_LENGTH));
}

function expand(prefix: string): number[] {
  const codes = Array.from(prefix, (c) => c.charCodeAt(0));
  return [...codes.map((c) => c >> 5), 0, ...codes.map((c) => c & 31)];
}

function checksum(values: readonly number[]): number {
  let sum = 1;
  for (const value of values) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    for (const [i, generator] of GENERATOR.entries()) if ((top >> i) & 1) sum ^= generator;
  }
  return sum >>> 0;
}

/** Five-bit groups as bytes; what is left over is padding. */
function regroup(groups: readonly number[]): Buffer {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const group of groups) {
    held = ((held << 5) | group) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 0xff);
  }
  return Buffer.from(bytes);
}
