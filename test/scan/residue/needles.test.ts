import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { needlesOf } from '../../../src/scan/residue/needles.ts';

const holds = (text: Buffer | string, secret: string): boolean =>
  needlesOf([secret]).needles.some(({ bytes }) => Buffer.from(text).includes(Buffer.from(bytes)));

describe('a secret is found', () => {
  const SECRET = 'p4ß/w"ö+rd ?&';
  const around = (text: string): string => `before${text}after`;
  test.each<[string, Buffer | string]>([
    ['as it is', around(SECRET)],
    ['as a string of JSON', JSON.stringify({ a: around(SECRET) })],
    ['in a query', around(encodeURIComponent(SECRET))],
    ['in a form', around(new URLSearchParams({ s: SECRET }).toString().replaceAll('%20', '+'))],
    ['percent-encoded in lower case', encodeURIComponent(SECRET).toLowerCase()],
    ['in UTF-16, little end first', Buffer.from(around(SECRET), 'utf16le')],
    ['in UTF-16, big end first', Buffer.from(around(SECRET), 'utf16le').swap16()],
    ['in base64', Buffer.from(SECRET).toString('base64')],
    ['in base64 for URLs', Buffer.from(`??>${SECRET}`).toString('base64url')],
  ])('%s', (_, text) => expect(holds(text, SECRET)).toBe(true));

  test('in base64, whatever stands around it', () => {
    const bytes = fc.uint8Array({ maxLength: 8 });
    fc.assert(
      fc.property(
        bytes,
        fc.string({ minLength: 7, maxLength: 40, unit: 'binary' }),
        bytes,
        (before, secret, after) => {
          fc.pre(!/[\r\n]$/.test(secret) && Buffer.from(secret).toString() === secret);
          const all = Buffer.concat([before, Buffer.from(secret), after]);
          expect(holds(all.toString('base64'), secret)).toBe(true);
          expect(holds(all.toString('base64url'), secret)).toBe(true);
        },
      ),
    );
  });

  test('line by line, where it has many', () => {
    const key = `-----BEGIN KEY-----\n${'A'.repeat(64)}\n${'B'.repeat(64)}\n-----END KEY-----\n`;
    expect(holds(`  ${'B'.repeat(64)}\n`, key)).toBe(true);
    expect(holds('-----BEGIN KEY-----', key)).toBe(false);
    expect(holds(key.trimEnd(), key)).toBe(true);
  });
});

test('other text is not taken for it', () => {
  expect(holds('hunter1 and hunter3', 'hunter2-x')).toBe(false);
});

test('short values are named, not searched', () => {
  const { needles, tooShort } = needlesOf(['abcde', 'abcdef', '', '\n']);
  expect(tooShort).toEqual([0, 2, 3]);
  expect(new Set(needles.map(({ secret }) => secret))).toEqual(new Set([1]));
});
