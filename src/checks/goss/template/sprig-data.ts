import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isTrue } from '../../../template/gotemplate/builtins.ts';
import type { GoFunction } from '../../../template/gotemplate/execute.ts';
import { civilAt } from '../../../template/time/civil.ts';
import { formatGoLayout } from '../../../template/time/go-layout.ts';
import { integer, kindOf, map, refuse, text } from './arguments.ts';

const TYPES: Readonly<Record<string, string>> = {
  invalid: '<nil>',
  slice: '[]interface {}',
  map: 'map[string]interface {}',
};

function typeOf(value: unknown): string {
  const kind = kindOf(value);
  return TYPES[kind] ?? kind;
}

/** Maps inside become records, for JSON. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value ?? null;
  const entries = [...map(value)].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, plain(item)]));
}

function escaped(json: string): string {
  return json.replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}

/** Of what is no JSON, sprig makes nothing, or with `must` an error. */
function fromJson(value: unknown, must: boolean): unknown {
  try {
    return JSON.parse(text(value));
  } catch {
    return must ? refuse('this is no JSON') : undefined;
  }
}

function hash(algorithm: string): GoFunction {
  return (value) => createHash(algorithm).update(text(value)).digest('hex');
}

function base64Decoded(value: unknown): string {
  const source = text(value);
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(source)
    ? Buffer.from(source, 'base64').toString()
    : 'illegal base64 data';
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** RFC 4648, section 6. */
function base32Encoded(value: unknown): string {
  let bits = '';
  for (const byte of Buffer.from(text(value))) bits += byte.toString(2).padStart(8, '0');
  const groups = bits.match(/.{1,5}/g) ?? [];
  const encoded = groups.map((g) => BASE32[Number.parseInt(g.padEnd(5, '0'), 2)]).join('');
  return encoded.padEnd(Math.ceil(encoded.length / 8) * 8, '=');
}

function base32Decoded(value: unknown): string {
  const source = text(value);
  if (source.length % 8 !== 0 || !/^[A-Z2-7]*=*$/.test(source)) return 'illegal base32 data';
  const bits = source
    .replace(/=+$/, '')
    .split('')
    .map((c) => BASE32.indexOf(c).toString(2).padStart(5, '0'))
    .join('');
  const bytes = bits.match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2))).toString();
}

/** RFC 1950, section 9. */
function adler32(value: unknown): string {
  let [a, b] = [1, 0];
  for (const byte of Buffer.from(text(value))) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return String(b * 65_536 + a);
}

/** Times are told in UTC: a report may not depend on where it is made. */
function formatDate(layout: unknown, moment: unknown): string {
  const seconds = typeof moment === 'number' ? moment * 1000 : Date.parse(text(moment));
  if (Number.isNaN(seconds)) return refuse('this is no time');
  return formatGoLayout(text(layout), civilAt(seconds));
}

function ternary(yes: unknown, no: unknown, condition: unknown): unknown {
  return condition === true ? yes : no;
}

const toJson: GoFunction = (value) => escaped(JSON.stringify(plain(value)));
const toPrettyJson: GoFunction = (value) => escaped(JSON.stringify(plain(value), undefined, 2));
const toRawJson: GoFunction = (value) => JSON.stringify(plain(value));

/** sprig's functions for defaults, types, encodings, hashes, paths and dates. */
export const dataFunctions: ReadonlyMap<string, GoFunction> = new Map<string, GoFunction>([
  ['default', (otherwise, value) => (isTrue(value) ? value : otherwise)],
  ['empty', (value) => !isTrue(value)],
  ['all', (...values) => values.every(isTrue)],
  ['any', (...values) => values.some(isTrue)],
  ['ternary', ternary],
  ['fail', (message) => refuse(text(message))],
  ['hello', () => 'Hello!'],
  ['kindOf', kindOf],
  ['kindIs', (kind, value) => kindOf(value) === kind],
  ['typeOf', typeOf],
  ['typeIs', (type, value) => typeOf(value) === type],
  ['typeIsLike', (type, value) => [type, `*${String(type)}`].includes(typeOf(value))],
  ['deepEqual', (a, b) => isDeepStrictEqual(a, b)],
  ['toJson', toJson],
  ['mustToJson', toJson],
  ['toPrettyJson', toPrettyJson],
  ['mustToPrettyJson', toPrettyJson],
  ['toRawJson', toRawJson],
  ['mustToRawJson', toRawJson],
  ['fromJson', (value) => fromJson(value, false)],
  ['mustFromJson', (value) => fromJson(value, true)],
  ['b64enc', (value) => Buffer.from(text(value)).toString('base64')],
  ['b64dec', base64Decoded],
  ['b32enc', base32Encoded],
  ['b32dec', base32Decoded],
  ['adler32sum', adler32],
  ['sha1sum', hash('sha1')],
  ['sha256sum', hash('sha256')],
  ['sha512sum', hash('sha512')],
  ['base', (path) => posix.basename(text(path)) || '.'],
  ['dir', (path) => posix.dirname(text(path))],
  ['clean', (path) => posix.normalize(text(path)).replace(/(.)\/$/, '$1')],
  ['ext', (path) => /\.[^./]*$/.exec(text(path))?.[0] ?? ''],
  ['isAbs', (path) => text(path).startsWith('/')],
  ['osBase', (path) => posix.basename(text(path)) || '.'],
  ['osDir', (path) => posix.dirname(text(path))],
  ['osClean', (path) => posix.normalize(text(path)).replace(/(.)\/$/, '$1')],
  ['osExt', (path) => /\.[^./]*$/.exec(text(path))?.[0] ?? ''],
  ['osIsAbs', (path) => text(path).startsWith('/')],
  ['now', () => Math.floor(Date.now() / 1000)],
  ['date', formatDate],
  ['dateInZone', (layout, moment) => formatDate(layout, moment)],
  ['date_in_zone', (layout, moment) => formatDate(layout, moment)],
  ['htmlDate', (moment) => formatDate('2006-01-02', moment)],
  ['htmlDateInZone', (moment) => formatDate('2006-01-02', moment)],
  ['unixEpoch', (moment) => String(integer(moment))],
]);
