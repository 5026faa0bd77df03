import { isUtf8 } from 'node:buffer';
import { gunzipSync } from 'node:zlib';
import { type Diagnostic, startOf } from '../../core/diagnostic.ts';

/** One piece of user-data or vendor-data, as cloud-init reads it. */
export interface Part {
  /** The file's name, for messages and for the part's name in a multipart message. */
  readonly name: string;
  /** cloud-init's MIME type of it. */
  readonly type: string;
  readonly text: string;
}

export const CLOUD_CONFIG = 'text/cloud-config';
export const ARCHIVE = 'text/cloud-config-archive';
export const JINJA = 'text/jinja2';

/**
 * First lines by which cloud-init tells what a part is, longer ones first (cloud-init docs, "User data formats";
 * `INCLUSION_TYPES_MAP` of its handlers). JSON patches are not there: nobody can check them.
 */
const TYPES: readonly (readonly [string, string])[] = [
  ['#cloud-config-archive', ARCHIVE],
  ['## template: jinja', JINJA],
  ['#cloud-boothook', 'text/cloud-boothook'],
  ['#include-once', 'text/x-include-once-url'],
  ['#cloud-config', CLOUD_CONFIG],
  ['#part-handler', 'text/part-handler'],
  ['#include', 'text/x-include-url'],
  ['#!', 'text/x-shellscript'],
];

/** What is larger was not written by hand, and fits no provider. */
export const MAX_BYTES = 4 << 20;

/** Reads a part: UTF-8 text, or such text compressed by gzip. Findings are `render/bad-part`. */
export function readPart(name: string, bytes: Buffer, found: Diagnostic[]): Part | undefined {
  const text = readText(name, bytes, found);
  if (text === undefined) return undefined;
  const type = typeOf(text);
  if (type !== undefined) return { name, type, text };
  const [first = ''] = text.split('\n', 1);
  const isMime = /^(?:content-type|mime-version):/i.test(first);
  found.push({
    code: 'render/bad-part',
    severity: 'error',
    message: isMime
      ? `${name} is a MIME message; expected its parts, each in a file of its own`
      : `${name} begins with ${JSON.stringify(first.slice(0, 60))}, by which cloud-init does not know what it is`,
    range: startOf(name),
    hint: isMime
      ? 'Put the parts into a folder user-data/: the message is made from them, in the order of their names.'
      : `Expected one of ${TYPES.map(([start]) => start).join(', ')} at the very start.`,
  });
  return undefined;
}

/** Text of a file that cloud-init reads. */
export function readText(name: string, bytes: Buffer, found: Diagnostic[]): string | undefined {
  const refuse = (message: string, hint: string): undefined =>
    void found.push({ code: 'render/bad-part', severity: 'error', message, range: startOf(name), hint });
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  let plain = bytes;
  try {
    if (isGzip) plain = gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
  } catch (error) {
    return refuse(
      `${name} is compressed, and can't be read: ${(error as Error).message}`,
      `Expected gzip of at most ${MAX_BYTES >> 20} MiB of text; give the text itself.`,
    );
  }
  if (plain.length > MAX_BYTES)
    return refuse(
      `${name} has ${plain.length} bytes; the most is ${MAX_BYTES}`,
      'Large files belong into the image.',
    );
  if (!isUtf8(plain) || plain.includes(0))
    return refuse(`${name} is no UTF-8 text`, 'Binary files belong into the image.');
  return plain.toString('utf8').replace(/^\ufeff/, '');
}

/** cloud-init's MIME type of a text, by its first line. */
export function typeOf(text: string): string | undefined {
  return TYPES.find(([start]) => text.startsWith(start))?.[1];
}
