import { IngotError } from '../../core/error.ts';
import { isMap } from '../document.ts';
import { textOrBytes } from '../encode.ts';

/**
 * A Kubernetes Secret with its `data` as `stringData`, so that references in it can be seen; anything else as it is.
 * Values that are no text stay bytes. Throws `secrets/bad-document` for what is no base64.
 */
export function decodeSecret(document: unknown): unknown {
  if (!isSecret(document) || !(isMap(document.data) || document.data === null)) return document;
  const decoded = Object.entries(document.data ?? {}).map(([key, value]) => [key, fromBase64(key, value)]);
  const { data: _, stringData, ...rest } = document;
  return {
    ...rest,
    // Where both have a field, Kubernetes takes that of stringData.
    stringData: { ...Object.fromEntries(decoded), ...(isMap(stringData) ? stringData : {}) },
  };
}

/** The reverse: `stringData` as `data`, beside what was there. */
export function encodeSecret(document: unknown): unknown {
  if (!isSecret(document) || !isMap(document.stringData)) return document;
  const encoded = Object.entries(document.stringData).map(([key, value]) => [key, toBase64(key, value)]);
  const { stringData: _, data, ...rest } = document;
  return { ...rest, data: { ...(isMap(data) ? data : {}), ...Object.fromEntries(encoded) } };
}

function isSecret(document: unknown): document is Record<string, unknown> {
  return isMap(document) && document.kind === 'Secret';
}

function fromBase64(key: string, value: unknown): string | Uint8Array {
  const digits = typeof value === 'string' ? value.replace(/[\r\n]/g, '') : '!';
  if (digits.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(digits)) {
    throw badField(key, "of the Secret's data is no base64", 'Put plain texts under stringData.');
  }
  return textOrBytes(Buffer.from(digits, 'base64'));
}

function toBase64(key: string, value: unknown): string {
  if (ArrayBuffer.isView(value)) return Buffer.from(value as Uint8Array).toString('base64');
  if (typeof value === 'string') return Buffer.from(value).toString('base64');
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return Buffer.from(String(value)).toString('base64');
  throw badField(key, 'of the Secret is a map, a list or nothing', 'Add a fragment that names one value.');
}

function badField(key: string, problem: string, hint: string): IngotError {
  return new IngotError('secrets/bad-document', `the field ${key} ${problem}`, { hint });
}
