import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expandReplacement, SafeRegExp } from '../../../src/template/regexp/regexp.ts';
import { cpuTime } from '../../cpu-time.ts';

const all = (pattern: string, text: string): string[] =>
  Array.from(new SafeRegExp(pattern).findAll(text), (m) => text.slice(m.start, m.end));

describe('matches', () => {
  test.each([
    ['a+', 'caaat a', ['aaa', 'a']],
    ['a+?', 'aaa', ['a', 'a', 'a']],
    ['a*', 'baac', ['', 'aa', '']],
    ['(?i)hello', 'Hello HELLO', ['Hello', 'HELLO']],
    ['(?i:h)ello', 'Hello HELLO', ['Hello']],
    ['(?m)^x$', 'x\nx\ny', ['x', 'x']],
    ['^x$', 'x\nx', []],
    ['.', 'a\n😀', ['a', '😀']],
    ['(?s).', 'a\n', ['a', '\n']],
    ['\\bfoo\\b', 'foo food foo', ['foo', 'foo']],
    ['[[:alpha:]]+', 'ab1cd', ['ab', 'cd']],
    ['[^[:alpha:]]+', 'ab12cd', ['12']],
    ['[\\d\\-x]+', '1-x y', ['1-x']],
    ['\\pL+', 'äb1', ['äb']],
    ['\\p{Greek}+', 'abγδ', ['γδ']],
    ['[^\\S]+', 'a \t b', [' \t ']],
    ['\\Qa.b\\E+', 'a.bb axb', ['a.bb']],
    ['a{2,3}', 'aaaaa', ['aaa', 'aa']],
    ['a{2}b|a{3}', 'aaab', ['aaa']],
    ['(?U)a+', 'aaa', ['a', 'a', 'a']],
    ['x{,2}', 'x{,2}', ['x{,2}']],
    ['\\x41\\x{42}\\103', 'ABC', ['ABC']],
    ['foo|foobar', 'foobar', ['foo']],
    ['\\A\\z', '', ['']],
  ])('%s in %j', (pattern, text, found) => expect(all(pattern, text)).toEqual(found));
});

test.each([
  '(',
  ')',
  '[a',
  'a**',
  '*a',
  '(?=a)',
  '(?<!a)',
  '(?P<a',
  '(?P<a>x)(?P<a>y)',
  '\\1',
  '\\',
  'a{2,1}',
  'a{1001}',
  '[z-a]',
  '[[:no:]]',
  '\\p{No_such}',
  '(?x)a',
  '((a{1000}){1000}){1000}',
  '('.repeat(1000),
])('%s is refused', (pattern) => expect(() => new SafeRegExp(pattern)).toThrow());

test('replacements name groups', () => {
  const regexp = new SafeRegExp('(?P<first>\\w+) (\\w+)');
  const match = regexp.find('hello world');
  if (!match) throw new Error('it matches');
  expect(expandReplacement('$2 ${first} $0 $$ $nope|${1}x', match, 'hello world', regexp.names)).toBe(
    'world hello hello world $ |hellox',
  );
});

test('no pattern takes more than time in proportion', () => {
  const taken = cpuTime();
  for (const pattern of ['(a+)+$', '(a|aa)+$', '(a*)*b', '(.*)*x']) {
    expect(new SafeRegExp(pattern).find(`${'a'.repeat(20_000)}!`)).toBeUndefined();
  }
  expect(taken()).toBeLessThan(15_000);
});

/** Patterns that mean the same to JavaScript, which does not repeat what matches nothing. */
const pattern = fc.letrec<{ node: string; atom: string }>((tie) => ({
  atom: fc.oneof(
    fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '\\b', '^', '$', '(?:)'),
    tie('node').map((n) => `(${n})`),
    tie('node').map((n) => `(?:${n})`),
  ),
  node: fc.oneof(
    { maxDepth: 4 },
    tie('atom'),
    fc.tuple(tie('atom'), tie('node')).map(([a, b]) => a + b),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `${a}|${b}`),
    fc
      .tuple(
        fc.constantFrom('a', 'b', '.', '[ab]'),
        fc.constantFrom('*', '+', '?', '*?', '+?', '??', '{1,2}', '{2}'),
      )
      .map(([a, q]) => a + q),
    fc.tuple(tie('node'), fc.constantFrom('?', '{1,2}')).map(([n, q]) => `([ab](?:${n}))${q}`),
  ),
})).node;

test('agrees with the engine of the language on what both know', () => {
  fc.assert(
    fc.property(
      pattern,
      fc.string({ unit: fc.constantFrom('a', 'b', 'c', '\n', ' '), maxLength: 12 }),
      (source, text) => {
        const theirs = new RegExp(source, 'u').exec(text);
        const ours = new SafeRegExp(source).find(text);
        expect(ours && [ours.start, ours.end]).toEqual(
          theirs ? [theirs.index, theirs.index + theirs[0].length] : undefined,
        );
      },
    ),
    { numRuns: 3000 },
  );
});
