import { stripVTControlCharacters } from 'node:util';
import type { Diagnostic, SourceRange, Sources } from './diagnostic.ts';

export interface RenderOptions {
  readonly color: boolean;
  /** Columns; longer source lines are cut to fit. */
  readonly width: number;
}

/** Most lines of a range that are shown. */
const MAX_LINES = 4;

/**
 * Diagnostics for people: what is wrong, the lines of the file with a caret below, and what to do. Ends with a
 * line end; empty where there are none. Files that are not in `sources` are named without an excerpt.
 */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: Sources,
  options: RenderOptions,
): string {
  return diagnostics.map((diagnostic) => `${renderOne(diagnostic, sources, options)}\n`).join('\n');
}

function renderOne(diagnostic: Diagnostic, sources: Sources, { color, width }: RenderOptions): string {
  const paint = (codes: string, text: string): string => (color ? `\u001b[${codes}m${text}\u001b[0m` : text);
  const tone = diagnostic.severity === 'error' ? '31' : '33';
  const title = diagnostic.severity === 'error' ? 'Error' : 'Warning';
  const lines = [`${paint(`1;${tone}`, `${title}:`)} ${paint('1', visible(diagnostic.message))}`];
  const { range, hint } = diagnostic;
  if (range) {
    lines.push(paint('36', `  --> ${visible(range.file)}:${range.start.line}:${range.start.column}`));
    const text = sources.get(range.file);
    if (text !== undefined) lines.push(...excerpt(text, range, width, (caret) => paint(tone, caret)));
  }
  if (hint !== undefined) lines.push(`  ${paint('32', 'hint:')} ${visible(hint)}`);
  lines.push(paint('2', `  ${diagnostic.code}: docs/errors/${diagnostic.code}.md`));
  return lines.join('\n');
}

/** The lines of a range with their numbers; a caret below each character that it covers. */
function excerpt(text: string, range: SourceRange, width: number, mark: (caret: string) => string): string[] {
  const all = text.split(/\r\n|\n/);
  const first = range.start.line;
  // A range that ends at a line's start (or reaches over its line end) covers nothing of that last line.
  const lastCovered = range.end.column === 1 && range.end.line > first ? range.end.line - 1 : range.end.line;
  const last = Math.min(lastCovered, first + MAX_LINES - 1, all.length);
  const gutter = Math.max(3, String(last).length + 1);
  const room = Math.max(20, width - gutter - 5);
  const lines: string[] = [];
  for (let number = first; number <= last; number++) {
    const source = all[number - 1] ?? '';
    const from = number === first ? range.start.column - 1 : source.length - source.trimStart().length;
    const to = number === range.end.line ? range.end.column - 1 : source.length;
    const shift = from > room - 10 ? from - Math.floor(room / 2) : 0;
    const shown = visible(source.slice(shift, shift + room).replaceAll('\t', ' '));
    lines.push(` ${String(number).padStart(gutter)} | ${shown}`.trimEnd());
    const carets = '^'.repeat(Math.max(1, Math.min(to, shift + room) - from));
    lines.push(` ${' '.repeat(gutter)} | ${' '.repeat(from - shift)}${mark(carets)}`);
  }
  if (lastCovered > last) lines.push(` ${' '.repeat(gutter)} | …`);
  return lines;
}

/** Text of unknown origin without what could move the cursor or change the terminal. */
function visible(text: string): string {
  return stripVTControlCharacters(text).replace(/(?![\t\n])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu, '');
}
