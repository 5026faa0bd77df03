import { IngotError } from '../core/error.ts';

/** Bytes as the text that `?encode=` asks for: `raw` (UTF-8, default) or `base64`. Throws `secrets/bad-reference`. */
export function encodeText(content: Buffer, encode = 'raw'): string {
  if (encode === 'raw' || encode === '') return content.toString('utf8');
  if (encode === 'base64') return content.toString('base64');
  throw badParam('encode', encode, 'raw or base64');
}

/** Bytes as the text that they are in UTF-8; what is no text stays as it is. */
export function textOrBytes(bytes: Buffer): string | Uint8Array {
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : new Uint8Array(bytes);
}

/** The bytes of URL-safe base64, as paths hold it. Throws `secrets/bad-reference`. */
export function fromUrlBase64(text: string, what: string): Buffer {
  if (text !== '' && /^[A-Za-z0-9_-]*={0,2}$/.test(text)) return Buffer.from(text, 'base64url');
  throw new IngotError('secrets/bad-reference', `${what} must be URL-safe base64 (with - and _)`, {
    hint: "Make it with base64 -w0 | tr '/+' '_-'.",
  });
}

/** A parameter that has none of the values that it may have. */
export function badParam(name: string, value: string, expected: string): IngotError {
  return new IngotError(
    'secrets/bad-reference',
    `the parameter ${name} is ${JSON.stringify(value)}; expected ${expected}`,
    { hint: 'docs/secrets.md lists the parameters of each backend.' },
  );
}
