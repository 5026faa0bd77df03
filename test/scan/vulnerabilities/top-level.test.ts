import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eachMember } from '../../../src/scan/vulnerabilities/top-level.ts';

function members(text: string): Record<string, unknown> {
  const found: [string, unknown][] = [];
  eachMember(
    Buffer.from(text),
    () => true,
    (key, value) => found.push([key, JSON.parse(value.toString('utf8'))]),
  );
  return Object.fromEntries(found);
}

const object = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue());

test('reads what JSON.parse reads, with and without blanks', () => {
  fc.assert(
    fc.property(object, fc.constantFrom(undefined, 1, '\t'), (value, blanks) => {
      const text = JSON.stringify(value, undefined, blanks);
      expect(members(text)).toEqual(Object.fromEntries(Object.entries(JSON.parse(text) as object)));
    }),
  );
});

test('cut anywhere, it is damaged', () => {
  fc.assert(
    fc.property(object, fc.nat(), (value, at) => {
      const bytes = Buffer.from(JSON.stringify(value));
      const cut = bytes.subarray(0, at % bytes.length);
      expect(() =>
        eachMember(
          cut,
          () => false,
          () => {},
        ),
      ).toThrow();
    }),
  );
});

test('only what is wanted is handed on', () => {
  const found: string[] = [];
  const count = eachMember(
    Buffer.from('{"a": {"b": [1, "}\\""]}, "b": 2, "c": "x"}'),
    (key) => key === 'b',
    (key, value) => found.push(`${key}=${value.toString()}`),
  );
  expect([count, found]).toEqual([3, ['b=2']]);
});
