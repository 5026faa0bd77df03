import { describe, expect, test } from 'vitest';
import { type Diagnostic, startOf } from '../../src/core/diagnostic.ts';
import { renderDiagnostics } from '../../src/core/render-diagnostic.ts';

const text = 'source "null" "a" {\n  communicator = nome\n}\n';

function at(offset: number, length: number, line: number, column: number): Diagnostic['range'] {
  return {
    file: 'web.pkr.hcl',
    start: { offset, line, column },
    end: { offset: offset + length, line, column: column + length },
  };
}

const wrong: Diagnostic = {
  code: 'template/unknown-variable',
  severity: 'error',
  message: 'there is no variable "nome" here',
  range: at(text.indexOf('nome'), 4, 2, 18),
  hint: 'Did you mean "none"?',
};

test('message, place, lines with a caret, hint', () => {
  expect(renderDiagnostics([wrong], new Map([['web.pkr.hcl', text]]), { color: false })).toBe(
    `error: there is no variable "nome" here [template/unknown-variable]
  --> web.pkr.hcl:2:18
  |
1 | source "null" "a" {
2 |   communicator = nome
  |                  ^^^^
  hint: Did you mean "none"?
`,
  );
});

test('without source, range or hint', () => {
  const { range, hint, ...bare } = wrong;
  expect(renderDiagnostics([{ ...bare, severity: 'warning' }], new Map(), { color: false })).toBe(
    'warning: there is no variable "nome" here [template/unknown-variable]\n',
  );
  expect(renderDiagnostics([{ ...bare, ...(range && { range }) }], new Map(), { color: false })).toContain(
    'web.pkr.hcl:2:18\n',
  );
  expect(hint).toBeDefined();
});

test('of a file that was not read, no line is told', () => {
  const unreadable = { ...wrong, range: startOf('gone.pkrvars.hcl'), hint: 'Check the path.' };
  const shown = renderDiagnostics([unreadable], new Map(), { color: false });
  expect(shown.split('\n')[1]?.trim()).toBe('--> gone.pkrvars.hcl');
});

test('colours only where asked for', () => {
  const sources = new Map([['web.pkr.hcl', text]]);
  expect(renderDiagnostics([wrong], sources, { color: true })).toContain('\u001b[31m');
  expect(renderDiagnostics([wrong], sources, { color: false })).not.toContain('\u001b');
});

describe('what comes from outside can not steer the terminal or flood it', () => {
  test('control characters', () => {
    const evil = 'a = \u001b]0;title\u0007 x\n';
    const shown = renderDiagnostics(
      [{ ...wrong, message: 'got \u001b[2J', range: at(4, 1, 1, 5) }],
      new Map([['web.pkr.hcl', evil]]),
      { color: false },
    );
    expect(shown).not.toContain('\u001b');
    expect(shown).not.toContain('\u0007');
  });

  test('a line of a megabyte is cut around the caret', () => {
    const long = `a = "${'x'.repeat(1 << 20)}" oops\n`;
    const shown = renderDiagnostics(
      [{ ...wrong, range: at(long.indexOf('oops'), 4, 1, long.indexOf('oops') + 1) }],
      new Map([['web.pkr.hcl', long]]),
      { color: false, width: 80 },
    );
    const lines = shown.split('\n');
    const caret = lines.find((l) => l.includes('^')) as string;
    const source = lines.find((l) => l.includes('oops')) as string;
    expect(Math.max(...lines.map((l) => l.length))).toBeLessThan(100);
    expect(source.slice(caret.indexOf('^'), caret.indexOf('^') + 4)).toBe('oops');
  });
});
