import { isUtf8 } from 'node:buffer';
import { gunzipSync } from 'node:zlib';
import { MAX_BYTES } from './part.ts';

/** Shorter runs of letters are words. */
const SHORTEST = 16;
const RUN = /[A-Za-z0-9+/_-]{16,}={0,2}/g;
const WHOLE = /^[A-Za-z0-9+/]+={0,2}$/;
/** Compressed in compressed: more layers have no use. */
const MOST_LAYERS = 4;

/** Texts that stand in another one as base64, compressed or not; also over several lines. */
export function packedTexts(text: string): string[] {
  const runs = [...text.matchAll(RUN)].map(([run]) => run);
  return [...wrapped(text), ...runs].flatMap((run) => textOf(Buffer.from(run, 'base64')) ?? []);
}

/** The text of bytes that may be compressed; undefined for other bytes. */
export function textOf(bytes: Buffer): string | undefined {
  let plain = bytes;
  for (let layer = 0; layer < MOST_LAYERS && plain[0] === 0x1f && plain[1] === 0x8b; layer++) {
    try {
      plain = gunzipSync(plain, { maxOutputLength: MAX_BYTES });
    } catch {
      return undefined;
    }
  }
  // oxlint-disable-next-line no-control-regex
  const isText = plain.length > 0 && isUtf8(plain) && !/[\0-\x08\x0e-\x1f]/.test(plain.toString('latin1'));
  return isText ? plain.toString('utf8') : undefined;
}

/** Base64 that is broken into lines of one length, of which the last is shorter, joined. */
function wrapped(text: string): string[] {
  const blocks: string[] = [];
  let block: string[] = [];
  const end = (): void => {
    if (block.length > 1) blocks.push(block.join(''));
    block = [];
  };
  for (const word of text.split(/\s+/)) {
    const length = block.at(-1)?.length;
    const goesOn = WHOLE.test(word) && (length === undefined || word.length <= length);
    if (!goesOn) end();
    if (!WHOLE.test(word) || (block.length === 0 && word.length < SHORTEST)) continue;
    block.push(word);
    if (length !== undefined && word.length < length) end();
  }
  end();
  return blocks;
}
