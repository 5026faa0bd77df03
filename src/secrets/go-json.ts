import { IngotError } from '../core/error.ts';
import { isMap } from './document.ts';
import { goFloat } from './go-scalars.ts';

/**
 * A value as Go's encoding/json writes it, so that what was written with vals stays the same: keys in the order of their
 * bytes, `<`, `>` and `&` escaped, whole numbers of any size. Throws `secrets/bad-document` for infinity and NaN, which JSON
 * does not have.
 */
export function goJson(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new IngotError('secrets/bad-document', `JSON has no way to write ${goFloat(value)}`, {
      hint: 'Print YAML (-o yaml), or put quotes around the value.',
    });
  }
  if (ArrayBuffer.isView(value)) return goJson(Buffer.from(value as Uint8Array).toString('utf8'));
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`;
  if (!isMap(value)) return escape(JSON.stringify(value ?? null));
  const fields = Object.keys(value)
    .sort(byBytes)
    .map((key) => `${escape(JSON.stringify(key))}:${goJson(value[key])}`);
  return `{${fields.join(',')}}`;
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Go escapes what could end a script in HTML, and the line ends of JavaScript. */
function escape(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
