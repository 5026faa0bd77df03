import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MultiSearch } from '../../../src/scan/residue/multi-search.ts';

const found = (patterns: readonly Uint8Array[], text: Uint8Array): string[] => {
  const all: string[] = [];
  new MultiSearch(patterns).search(text, (pattern, at) => all.push(`${at}:${pattern}`));
  return all.sort();
};

const naive = (patterns: readonly Uint8Array[], text: Uint8Array): string[] => {
  const buffer = Buffer.from(text);
  return patterns
    .flatMap((pattern, index) => {
      const places: string[] = [];
      for (let at = buffer.indexOf(pattern); at >= 0; at = buffer.indexOf(pattern, at + 1))
        places.push(`${at}:${index}`);
      return places;
    })
    .sort();
};

describe('MultiSearch', () => {
  test('finds what a search for each pattern finds', () => {
    // Three letters only, so that patterns overlap, contain and repeat each other.
    const bytes = (min: number, max: number) =>
      fc.uint8Array({ min: 97, max: 99, minLength: min, maxLength: max });
    fc.assert(
      fc.property(fc.array(bytes(2, 9), { minLength: 1, maxLength: 12 }), bytes(0, 400), (patterns, text) => {
        expect(found(patterns, text)).toEqual(naive(patterns, text));
      }),
      { numRuns: 500 },
    );
  });

  test('bytes of every value count', () => {
    const patterns = [Buffer.from([0xff, 0xfe, 0, 0x80]), Buffer.from([0, 0, 0, 1])];
    const text = Buffer.concat([Buffer.alloc(7), ...patterns, Buffer.alloc(3, 0xff), patterns[0] as Buffer]);
    expect(found(patterns, text)).toEqual(naive(patterns, text));
  });

  test('a pattern longer than a skip can say is found', () => {
    const pattern = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));
    const text = Buffer.concat([Buffer.alloc(333, 7), pattern, Buffer.alloc(99, 7)]);
    expect(found([pattern], text)).toEqual(['333:0']);
  });

  test('the case of letters may count or not', () => {
    const text = Buffer.from('-----begin Private KEY[{');
    const search = (ignoreCase: boolean): number[] => {
      const at: number[] = [];
      new MultiSearch([Buffer.from('private key')], { ignoreCase }).search(text, (_, place) =>
        at.push(place),
      );
      return at;
    };
    expect([search(true), search(false)]).toEqual([[11], []]);
  });

  test('a pattern of one byte is refused', () => {
    expect(() => new MultiSearch([Buffer.from('x')])).toThrow(RangeError);
  });
});
