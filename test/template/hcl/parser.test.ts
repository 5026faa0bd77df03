import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatHcl, parseHcl, parseHclExpression } from '../../../src/template/index.ts';
import { cpuTime } from '../../cpu-time.ts';

describe('bodies', () => {
  test('attributes, blocks, labels and comments', () => {
    const { body, diagnostics } = parseHcl(
      '# head\na = 1 // one\nb /* in between */ = [\n  1, # x\n  2,\n]\nblock "label one" two {\n  inner {}\n}\none { c = 3 }\n',
      'x.hcl',
    );
    expect(diagnostics).toEqual([]);
    expect([...body.attributes.keys()]).toEqual(['a', 'b']);
    expect(body.blocks.map((b) => [b.type, ...b.labels])).toEqual([['block', 'label one', 'two'], ['one']]);
    expect(body.blocks[0]?.body.blocks[0]?.type).toBe('inner');
    expect(body.blocks[1]?.body.attributes.get('c')?.text).toBe('3');
  });

  test('ranges are exact', () => {
    const text = 'a = 1\n  block "label" {\n    long = foo(1,\n      2)\n  }\n';
    const { body } = parseHcl(text, 'x.hcl');
    const block = body.blocks[0];
    const cut = (r: { start: { offset: number }; end: { offset: number } } | undefined): string =>
      text.slice(r?.start.offset, r?.end.offset);
    expect(cut(block?.range)).toBe('block "label"');
    expect(cut(block?.labelRanges[0])).toBe('"label"');
    const attribute = block?.body.attributes.get('long');
    expect(cut(attribute?.range)).toBe('long = foo(1,\n      2)');
    expect(cut(attribute?.nameRange)).toBe('long');
    expect(attribute?.range.start).toEqual({ offset: 28, line: 3, column: 5 });
    expect(attribute?.range.end).toEqual({ offset: text.indexOf('2)') + 2, line: 4, column: 9 });
  });

  test('a byte order mark and CRLF are fine', () => {
    const { body, diagnostics } = parseHcl('\uFEFFa = 1\r\nb {\r\n  c = <<E\r\nx\r\nE\r\n}\r\n', 'x.hcl');
    expect(diagnostics).toEqual([]);
    expect([...body.attributes.keys()]).toEqual(['a']);
  });
});

describe('errors', () => {
  test('several at once, and the rest is read', () => {
    const { body, diagnostics } = parseHcl(
      'good = 1\nbad = = 2\nworse = [1, 2\nnext = 3\nblock {\n  x = "unclosed\n  y = 2\n}\nlast = 4\nbad2 = 1 +\n',
      'x.hcl',
    );
    expect(diagnostics.map((d) => d.range?.start.line).sort((a, b) => Number(a) - Number(b))).toEqual([
      2, 4, 6, 10,
    ]);
    expect([...body.attributes.keys()]).toEqual(['good', 'next', 'last']);
    expect(body.blocks[0]?.body.attributes.has('y')).toBe(true);
    expect(diagnostics).toHaveLength(4);
  });

  test.each([
    ['a = 1\na = 2\n', 'template/duplicate', 2],
    ['a = "x\nb = 1\n', 'template/syntax', 1],
    ['block {\n', 'template/syntax', 1],
    ['a = <<EOT\nx\n', 'template/syntax', 1],
    ["a = 'x'\n", 'template/syntax', 1],
    ['a: 1\n', 'template/syntax', 1],
    ['a = 1 b = 2\n', 'template/syntax', 1],
    ['}\na = 1\n', 'template/syntax', 1],
    ['a = "${"\n', 'template/syntax', 1],
    ['a = "\\q"\n', 'template/syntax', 1],
    ['a = "%{ if x }"\n', 'template/syntax', 1],
    ['a = "%{ endif }"\n', 'template/syntax', 1],
    ['/* open\n', 'template/syntax', 1],
    ['a = { b.c = 1 }\n', 'template/syntax', 1],
    ['a = 1e999999\n', 'template/syntax', 1],
    ['"a" = 1\n', 'template/syntax', 1],
  ])('%j', (text, code, line) => {
    const { diagnostics } = parseHcl(text, 'x.hcl');
    expect(diagnostics).toHaveLength(1);
    expect(diagnostics[0]).toMatchObject({ code, severity: 'error', range: { start: { line } } });
  });

  test('a string that is not closed does not swallow the rest', () => {
    const { body, diagnostics } = parseHcl('a = "${upper("x)}\nb = 1\nc = 2\n', 'x.hcl');
    expect(diagnostics.length).toBeGreaterThan(0);
    expect([...body.attributes.keys()]).toEqual(['b', 'c']);
  });

  test('no more than a hundred', () => {
    expect(parseHcl('= \n'.repeat(10_000), 'x.hcl').diagnostics.length).toBeLessThanOrEqual(101);
  });
});

/** Milliseconds that the slowest of these may take on a slow machine; a quadratic way takes minutes. */
const BOUND = 15_000;

describe('hostile input ends in bounded time', () => {
  const noise = Buffer.alloc(1 << 20);
  let seed = 7;
  for (let i = 0; i < noise.length; i++)
    noise[i] = (seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff) >>> 16;
  const cases: [string, string][] = [
    ['1 MB of noise', noise.toString('latin1')],
    [
      'noise of brackets',
      Array.from(noise.subarray(0, 300_000), (b) => '{}[]()"$%\n= a1,.<~'[b % 19]).join(''),
    ],
    ...[
      '[',
      '(',
      '{',
      '${',
      '"${',
      '!',
      '-',
      'a(',
      'a[',
      'a{',
      'a {\n',
      '[\n',
      'x ? ',
      '{a=',
      '[for x in ',
      '%{if a}',
      '"%{ if x }',
    ].map((open): [string, string] => [
      `100,000 times ${JSON.stringify(open)}`,
      `v = ${open.repeat(100_000)}`,
    ]),
    ['blocks in blocks', 'a {\n'.repeat(10_000)],
    ['a chain of operators', `v = ${'1 + '.repeat(50_000)}1`],
    ['a chain of attributes', `v = a${'.b'.repeat(100_000)}`],
    ['heredocs never closed', '<<A\n'.repeat(50_000)],
    ['a line of 1 MB', `v = "${'x'.repeat(1 << 20)}"`],
    ['directives in directives', `v = "${'%{ if true }'.repeat(20_000)}"`],
  ];
  test.each(cases)('%s', (_, text) => {
    const taken = cpuTime();
    parseHcl(text, 'x.hcl');
    parseHclExpression(text, 'x.hcl');
    formatHcl(text);
    expect(taken()).toBeLessThan(BOUND);
  });
});

/** Texts that come close to HCL. */
const soup = fc
  .array(
    fc.constantFrom(
      'a',
      'b1',
      'for',
      'in',
      'if',
      '=',
      '==',
      '=>',
      '{',
      '}',
      '[',
      ']',
      '(',
      ')',
      '"',
      '${',
      '%{',
      '~}',
      '${~',
      '\n',
      ' ',
      ',',
      '.',
      '...',
      '*',
      '?',
      ':',
      '::',
      '1',
      '2.5',
      '<<E\n',
      '<<-E\n',
      'E\n',
      '# c\n',
      '/*',
      '*/',
      '//',
      '-',
      '!',
      '&&',
      '\\',
      '$${',
      'é',
      '\u0000',
      '\r\n',
      'endif',
      'else',
      'true',
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''));

test('any text parses or is refused, never throws, and all ranges lie in it', () => {
  fc.assert(
    fc.property(fc.oneof(soup, fc.string({ unit: 'binary', maxLength: 200 })), (text) => {
      const { body, diagnostics } = parseHcl(text, 'x.hcl');
      for (const { range } of [...diagnostics, ...body.attributes.values(), ...body.blocks]) {
        expect(range?.start.offset).toBeLessThanOrEqual(range?.end.offset as number);
        expect(range?.end.offset).toBeLessThanOrEqual(text.length);
      }
    }),
    { numRuns: 3000 },
  );
});
