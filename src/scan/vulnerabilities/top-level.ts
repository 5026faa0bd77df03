const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = new Set([0x7b, 0x5b]);

/** What is wrong with a JSON text, and at which byte. */
export class JsonDamage extends Error {}

/**
 * The members of a large JSON object without parsing what nobody asks for: calls `member` with each key and the bytes
 * of its value when `wanted` says so. The structure of everything is checked (strings and brackets end, nothing
 * follows), so that a file which was cut off is noticed. Throws JsonDamage. Answers the number of members.
 */
export function eachMember(
  bytes: Buffer,
  wanted: (key: string) => boolean,
  member: (key: string, value: Buffer) => void,
): number {
  let at = skipBlanks(bytes, 0);
  if (bytes[at] !== 0x7b) throw new JsonDamage('it does not begin with {');
  at = skipBlanks(bytes, at + 1);
  if (bytes[at] === 0x7d) return end(bytes, at, 0);
  for (let count = 1; ; count++) {
    if (bytes[at] !== QUOTE) throw new JsonDamage(damageAt(bytes, at, 'a name'));
    const keyEnd = endOfString(bytes, at);
    const key = JSON.parse(bytes.toString('utf8', at, keyEnd)) as string;
    at = skipBlanks(bytes, keyEnd);
    if (bytes[at] !== 0x3a) throw new JsonDamage(damageAt(bytes, at, ':'));
    const start = skipBlanks(bytes, at + 1);
    at = endOfValue(bytes, start);
    if (wanted(key)) member(key, bytes.subarray(start, at));
    at = skipBlanks(bytes, at);
    if (bytes[at] === 0x7d) return end(bytes, at, count);
    if (bytes[at] !== 0x2c) throw new JsonDamage(damageAt(bytes, at, ', or }'));
    at = skipBlanks(bytes, at + 1);
  }
}

function end(bytes: Buffer, at: number, count: number): number {
  const rest = skipBlanks(bytes, at + 1);
  if (rest < bytes.length) throw new JsonDamage(`something follows its end at byte ${rest}`);
  return count;
}

function endOfValue(bytes: Buffer, start: number): number {
  const first = bytes[start];
  if (first === QUOTE) return endOfString(bytes, start);
  if (first === undefined) throw new JsonDamage(damageAt(bytes, start, 'a value'));
  let at = start;
  if (!OPEN.has(first)) {
    while (at < bytes.length && !/[\s,\]}]/.test(String.fromCharCode(bytes[at] as number))) at++;
    return at;
  }
  let depth = 0;
  for (; at < bytes.length; at++) {
    const c = bytes[at];
    if (c === QUOTE) at = endOfString(bytes, at) - 1;
    else if (c === 0x7b || c === 0x5b) depth++;
    else if ((c === 0x7d || c === 0x5d) && --depth === 0) return at + 1;
  }
  throw new JsonDamage(damageAt(bytes, at, '}'));
}

/** Behind the closing quote. `indexOf` leaps over the text, which is most of such a file. */
function endOfString(bytes: Buffer, open: number): number {
  for (let quote = bytes.indexOf(QUOTE, open + 1); quote >= 0; quote = bytes.indexOf(QUOTE, quote + 1)) {
    let slashes = 0;
    while (bytes[quote - 1 - slashes] === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return quote + 1;
  }
  throw new JsonDamage(damageAt(bytes, bytes.length, '"'));
}

function skipBlanks(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
  return at;
}

function damageAt(bytes: Buffer, at: number, expected: string): string {
  return at >= bytes.length
    ? `it ends after ${bytes.length} bytes, expected ${expected}: it is cut off`
    : `byte ${at} is ${JSON.stringify(String.fromCharCode(bytes[at] as number))}, expected ${expected}`;
}
