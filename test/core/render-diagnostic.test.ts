import { describe, expect, test } from 'vitest';
import type { Diagnostic, SourceRange } from '../../src/core/diagnostic.ts';
import { renderDiagnostics } from '../../src/core/render-diagnostic.ts';

const text = 'source "mmdebstrap" "base" {\n  pakages = ["nginx"]\n}\n';
const sources = new Map([['web.pkr.hcl', text]]);
const plain = { color: false, width: 80 };

/** The range of `part` in `text`. */
function rangeOf(part: string, file = 'web.pkr.hcl'): SourceRange {
  const position = (offset: number) => {
    const before = text.slice(0, offset).split('\n');
    return { offset, line: before.length, column: (before.at(-1) as string).length + 1 };
  };
  const start = text.indexOf(part);
  return { file, start: position(start), end: position(start + part.length) };
}

const unknownKey: Diagnostic = {
  code: 'template/unknown-attribute',
  severity: 'error',
  message: 'unknown attribute "pakages"',
  range: rangeOf('pakages'),
  hint: 'Did you mean "packages"?',
};

test('shows the message, the line with carets, the hint and the code', () => {
  expect(renderDiagnostics([unknownKey], sources, plain)).toBe(
    [
      'error: unknown attribute "pakages" [template/unknown-attribute]',
      '  --> web.pkr.hcl:2:3',
      '  |',
      '1 | source "mmdebstrap" "base" {',
      '2 |   pakages = ["nginx"]',
      '  |   ^^^^^^^',
      '  hint: Did you mean "packages"?',
      '',
    ].join('\n'),
  );
});

test('several are kept apart by an empty line, and none give nothing', () => {
  const two = renderDiagnostics([unknownKey, { ...unknownKey, severity: 'warning' }], sources, plain);
  expect(two).toContain('"packages"?\n\nwarning: unknown');
  expect(renderDiagnostics([], sources, plain)).toBe('');
});

test('of a range over lines the first one is marked to its end', () => {
  const range = rangeOf('"base" {\n  pakages');
  const shown = renderDiagnostics([{ ...unknownKey, range }], sources, plain);
  expect(shown).toContain('1 | source "mmdebstrap" "base" {\n  |                     ^^^^^^^^\n');
});

describe('keeps its form', () => {
  test('without the source text', () => {
    const shown = renderDiagnostics(
      [{ ...unknownKey, range: rangeOf('pakages', 'other.hcl') }],
      sources,
      plain,
    );
    expect(shown).toContain('  --> other.hcl:2:3\n  hint:');
  });

  test('on a line longer than the terminal', () => {
    const long = new Map([['a', `${'x'.repeat(500)} = here`]]);
    const at = (column: number) => ({ offset: column - 1, line: 1, column });
    const range = { file: 'a', start: at(504), end: at(508) };
    const lines = renderDiagnostics([{ ...unknownKey, range }], long, plain).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    const marked = lines.findIndex((line) => line.includes('^'));
    const column = (lines[marked] as string).indexOf('^');
    expect((lines[marked - 1] as string).slice(column, column + 4)).toBe('here');
  });

  test('at the end of the file', () => {
    const end = { offset: text.length, line: 4, column: 1 };
    const range = { file: 'web.pkr.hcl', start: end, end };
    expect(renderDiagnostics([{ ...unknownKey, range }], sources, plain)).toContain('4 | \n  | ^\n');
  });
});

test('colors only where asked, and lets no escape sequence of the template through', () => {
  const nasty = { ...unknownKey, message: 'bad \u001b[2J\u001b]0;title\u0007 name\rx' };
  expect(renderDiagnostics([nasty], sources, plain)).not.toMatch(/(?!\n)\p{Cc}/u);
  expect(renderDiagnostics([unknownKey], sources, { ...plain, color: true })).toContain(
    '\u001b[31m^^^^^^^\u001b[0m',
  );
});
