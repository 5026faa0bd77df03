import { createDecipheriv } from 'node:crypto';
import { IngotError } from '../../core/error.ts';

const SEALED = /^ENC\[AES256_GCM,data:([^,]*),iv:([^,]+),tag:([^,]+),type:([a-z]+)\]$/;

export type SopsType = 'str' | 'int' | 'float' | 'bool' | 'bytes' | 'time' | 'comment';

export interface Opened {
  readonly type: SopsType;
  readonly bytes: Buffer;
}

/**
 * Opens a value of a sops file: AES-256-GCM, with the value's path as additional data (sops, aes/cipher.go). undefined
 * for what is not sealed. Throws `secrets/bad-document`.
 */
export function openSopsValue(text: string, key: Buffer, path: string): Opened | undefined {
  const [, data, iv, tag, type] = SEALED.exec(text) ?? [];
  if (data === undefined || iv === undefined || tag === undefined) return undefined;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64'), { authTagLength: 16 });
    decipher.setAAD(Buffer.from(path));
    decipher.setAuthTag(Buffer.from(tag, 'base64'));
    const bytes = Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()]);
    return { type: type as SopsType, bytes };
  } catch (cause) {
    throw new IngotError('secrets/bad-document', `the value at ${path.slice(0, -1)} was changed or moved`, {
      hint: 'Restore the file from version control; sops values open only where they were sealed.',
      cause,
    });
  }
}

/** The value with its type. */
export function typedValue({ type, bytes }: Opened): string | number | boolean | bigint {
  const text = bytes.toString('utf8');
  if (type === 'bool') return text === 'True' || text === 'true';
  if (type !== 'int' && type !== 'float') return text;
  const number = Number(text);
  return type === 'int' && !Number.isSafeInteger(number) ? BigInt(text) : number;
}

/** The bytes of a value that stands open in the file, as its MAC has them. */
export function plainBytes(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return decimal(value);
  return typeof value === 'bigint' ? String(value) : '';
}

/** A number without an exponent, as Go's FormatFloat(x, 'f', -1, 64) writes it. */
function decimal(value: number): string {
  const [, sign = '', whole = '', fraction = '', exponent] =
    /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(String(value)) ?? [];
  if (exponent === undefined) return String(value);
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return `${sign}${digits.padEnd(point, '0')}`;
}
