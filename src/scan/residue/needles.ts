/** A way in which a value may be written. */
export interface Needle {
  /** Which secret: an index into the list that was asked for. */
  readonly secret: number;
  /** `as it is`, `base64`, … */
  readonly form: string;
  readonly bytes: Uint8Array;
  /** Counts only where it is no part of a longer word. */
  readonly isWord?: boolean;
}

export interface Needles {
  readonly needles: readonly Needle[];
  /** Indexes of values that are too short to be told from chance, and are not searched. */
  readonly tooShort: readonly number[];
}

/**
 * Fewest bytes that are searched. Among the 2^29 places of a disk of 512 MB, a certain text of 4 random bytes is found by
 * chance once in eight disks, and of 4 letters nearly always.
 */
export const SHORTEST = 6;
/** Fewest characters of a line that is searched by itself. */
const LINE = 20;

/**
 * Every form in which one of the values may lie in an image: as it is, as JSON text, percent-encoded (RFC 3986,
 * section 2.1), in base64 of both alphabets (RFC 4648) at each of the three places that it can have among other
 * bytes, and in UTF-16 of both byte orders. Lines of a value of many (a private key) are searched one by one, too,
 * since files often indent them.
 */
export function needlesOf(secrets: readonly string[]): Needles {
  const tooShort: number[] = [];
  const found = new Map<string, Needle>();
  for (const [secret, whole] of secrets.entries()) {
    const value = whole.replace(/(\r?\n)+$/, '');
    if (Buffer.byteLength(value) < SHORTEST) {
      tooShort.push(secret);
      continue;
    }
    for (const text of [value, ...linesOf(value)]) {
      for (const [form, bytes] of formsOf(text)) {
        const key = Buffer.from(bytes).toString('latin1');
        if (bytes.length >= SHORTEST && !found.has(key)) found.set(key, { secret, form, bytes });
      }
    }
  }
  return { needles: [...found.values()], tooShort };
}

function linesOf(value: string): string[] {
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  return lines.length === 1 ? [] : lines.filter((line) => line.length >= LINE && !line.startsWith('-----'));
}

function* formsOf(text: string): Generator<[form: string, bytes: Uint8Array]> {
  const utf8 = Buffer.from(text);
  yield ['as it is', utf8];
  yield ['in JSON', Buffer.from(JSON.stringify(text).slice(1, -1))];
  const url = encodeURIComponent(text);
  yield ['URL-encoded', Buffer.from(url)];
  yield ['URL-encoded', Buffer.from(url.replaceAll(/%../g, (hex) => hex.toLowerCase()))];
  yield ['URL-encoded', Buffer.from(url.replaceAll('%20', '+'))];
  for (const before of [0, 1, 2]) {
    const base64 = certainBase64(utf8, before);
    yield ['in base64', Buffer.from(base64)];
    yield ['in base64', Buffer.from(base64.replaceAll('+', '-').replaceAll('/', '_'))];
  }
  const utf16 = Buffer.from(text, 'utf16le');
  yield ['in UTF-16', utf16];
  yield ['in UTF-16', Buffer.from(utf16).swap16()];
}

/** The characters of base64 that depend on `bytes` alone when `before` bytes (of three) come before them. */
function certainBase64(bytes: Buffer, before: number): string {
  const encoded = Buffer.concat([Buffer.alloc(before), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const first = Math.ceil((before * 8) / 6);
  const last = Math.floor(((before + bytes.length) * 8) / 6);
  return encoded.slice(first, last);
}
