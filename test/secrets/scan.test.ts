import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expandText } from '../../src/secrets/expand.ts';
import type { Reference, ReferenceKind } from '../../src/secrets/reference.ts';
import { scan } from '../../src/secrets/scan.ts';
import { cpuTime } from '../cpu-time.ts';

/** What vals' own tests look up: the parts of the address. */
const parts = async ({ backend, host, urlPath }: Reference): Promise<string> =>
  `${backend}-${host}-${urlPath}`;

const expand = (text: string, kinds: readonly ReferenceKind[] = ['ref', 'secretref']) =>
  expandText(text, { lookup: parts, kinds });

describe('where references begin and end', () => {
  test.each([
    ['ref+a://x/y', 'a-x-/y'],
    ['(ref+a://x/y+)', '(a-x-/y)'],
    ['a ref+a://x/1 b ref+b://y/2', 'a a-x-/1 b b-y-/2'],
    ['ref+a://x/1+ref+b://y/2', 'a-x-/1b-y-/2'],
    ['"ref+a://x/1","ref+b://y/2"', '"a-x-/1","b-y-/2"'],
    ['ref+a://x/1\r\nnext', 'a-x-/1\r\nnext'],
    ['ref+a://x/1\tnext', 'a-x-/1\tnext'],
    ['ref+A-1.b://x/y', 'a-1.b-x-/y'],
    ['nosecretref+a://x/y', 'noa-x-/y'],
    ['ref+ref+a://x/y', 'ref+a-x-/y'],
  ])('%j', async (text, expected) => expect(await expand(text)).toBe(expected));

  test.each([
    '"no-referrer" always;\nreturn 301 $scheme://$host',
    'ref+',
    'ref+a://',
    'ref+a://x',
    'ref+a:// x/y',
    'ref+ a://x/y',
    'ref+a:/x/y',
    'ref+a://"",,',
  ])('%j has none', async (text) => expect(await expand(text)).toBe(text));

  test.each(['ref+1a://x/y', 'ref+a_b://x/y', 'ref+://x/y'])(
    '%j is a reference with a wrong name',
    async (text) => await expect(expand(text)).rejects.toMatchObject({ code: 'secrets/bad-reference' }),
  );

  test('a kind that is left alone does not hide what comes after or stands in it', async () => {
    expect(await expand('secretref+a://x/1 ref+b://y/2', ['ref'])).toBe('secretref+a://x/1 b-y-/2');
    expect(await expand('secretref+a://x/ref+b://y/2', ['ref'])).toBe('secretref+a://x/b-y-/2');
  });

  test('references stand in each other, ten deep and no more', async () => {
    expect(await expand('ref+a://x/ref+b://y/z+/w')).toBe('a-x-/b-y-/z/w');
    const nested = (depth: number): string => `${'ref+a://'.repeat(depth)}xy`;
    expect(await expand(nested(10))).toMatch(/^a-a-/);
    await expect(expand(nested(11))).rejects.toMatchObject({ code: 'secrets/too-deep' });
  });
});

/** The grammar as vals has it, word for word: an oracle for texts without the cases in which we differ. */
async function asVals(text: string): Promise<string> {
  const target = /((?:secret)?ref)\+([^+:]*:\/\/[^+\n ]+[^+\n ",])\+?/u;
  const lookUp = (uri: string): string => {
    const [, scheme, host, path] = /^([^:]*):\/\/([^/?#]*)([^?#]*)/.exec(uri) as RegExpExecArray;
    return `${scheme}-${host}-${path}`;
  };
  let whole = text;
  for (;;) {
    const prefixes = [...whole.matchAll(/(secret)?ref\+/g)].map(
      (m) => [m.index, m.index + m[0].length] as const,
    );
    const at = prefixes.findLastIndex(
      ([start], i) => i > 0 && !/[ \n\r\t",]/.test(whole.slice(prefixes[i - 1]?.[1], start)),
    );
    const start = prefixes[at]?.[0];
    const match = start === undefined ? null : target.exec(whole.slice(start));
    if (start === undefined || !match) break;
    const from = start + match.index;
    whole = whole.slice(0, from) + lookUp(match[2] as string) + whole.slice(from + match[0].length);
  }
  let done = '';
  for (let match = target.exec(whole); match; match = target.exec(whole)) {
    done += whole.slice(0, match.index) + lookUp(match[2] as string);
    whole = whole.slice(match.index + match[0].length);
  }
  return done + whole;
}

const word = fc.stringMatching(/^[a-z0-9.~$-]{2,6}$/).filter((t) => !t.endsWith('ref') && t !== '..');
const uri = fc
  .tuple(
    word.map((w) => `s${w.replace(/[^a-z0-9]/g, '')}`),
    word,
    word,
  )
  .map(([s, h, p]) => `${s}://${h}/${p}`);
const kind = fc.constantFrom('ref', 'secretref');
const reference = fc.tuple(kind, uri).map(([k, u]) => `${k}+${u}`);
const nested = fc.tuple(reference, reference).map(([outer, inner]) => `${outer}/${inner}`);
const text = fc
  .array(fc.tuple(fc.oneof(reference, nested, word), fc.constantFrom(' ', '\n', '+ ', '+/ ', '" ', '", ')), {
    maxLength: 5,
  })
  .map((pieces) => pieces.flat().join(''));

test('any text is expanded as vals does it', async () => {
  await fc.assert(
    fc.asyncProperty(text, async (t) => {
      expect(String(await expand(t))).toBe(await asVals(t));
    }),
    { numRuns: 500 },
  );
});

test('pieces of any text make up the text', () => {
  const chars = fc.constantFrom(
    'ref+',
    'secretref+',
    'a://',
    'b',
    '/',
    '+',
    ' ',
    '"',
    ',',
    '\n',
    ':',
    '#',
    '?',
  );
  fc.assert(
    fc.property(fc.array(chars, { maxLength: 25 }), (list) => {
      const t = list.join('');
      let pieces: ReturnType<typeof scan>;
      try {
        pieces = scan(t);
      } catch (error) {
        expect(error).toMatchObject({ code: 'secrets/too-deep' });
        return;
      }
      expect(pieces.map((p) => (typeof p === 'string' ? p : p.source)).join('')).toBe(t);
    }),
    { numRuns: 1000 },
  );
});

test('a long hostile text takes no longer than its length', () => {
  const taken = cpuTime();
  for (const t of ['ref+a://x', 'ref+', 'ref+a://"', 'secretref+a:', 'ref+a://","'])
    try {
      scan(t.repeat(20_000));
    } catch (error) {
      expect(error).toMatchObject({ code: 'secrets/too-deep' });
    }
  expect(taken()).toBeLessThan(4000);
});
