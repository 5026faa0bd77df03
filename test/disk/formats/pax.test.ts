import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodePax, type PaxRecord, parsePax } from '../../../src/disk/formats/pax.ts';

test('a record counts its own length, also where that grows by a digit', () => {
  expect(encodePax([['path', Buffer.from('a/b')]]).toString()).toBe('12 path=a/b\n');
  // 9 bytes without the number would make 10, which has two digits: 11.
  expect(encodePax([['a', Buffer.from('1234')]]).toString()).toBe('9 a=1234\n');
  expect(encodePax([['a', Buffer.from('12345')]]).toString()).toBe('11 a=12345\n');
});

test('what is encoded is parsed again, byte for byte', () => {
  const key = fc.stringMatching(/^[A-Za-z.]{1,30}$/);
  const value = fc.uint8Array({ maxLength: 1200 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value)), (records: PaxRecord[]) => {
      expect(parsePax(encodePax(records))).toEqual(records);
    }),
  );
});

test.each(['x', '5', '0 a=b\n', '99999 a=b\n', '6 ab=c\n', '4 ab\n', '-6 a=b\n', '6a=bcd\n', '2 \n'])(
  'malformed: %j',
  (text) => {
    expect(() => parsePax(Buffer.from(text))).toThrow(RangeError);
  },
);

test('any bytes are parsed or refused, and parsing ends', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        parsePax(Buffer.from(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
  );
});
