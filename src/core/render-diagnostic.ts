import type { Diagnostic, SourceRange, Sources } from './diagnostic.ts';

export interface RenderOptions {
  readonly color: boolean;
  /** Columns of the terminal; longer source lines are cut around the caret. Default 110. */
  readonly width?: number;
  /** Name of a file as its reader finds it from where they are; default: as the range has it. */
  readonly shownAs?: (file: string) => string;
}

/** Diagnostics for people: message, place, the lines of the source with a caret, and what to do. */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: Sources,
  options: RenderOptions,
): string {
  return diagnostics.map((d) => renderDiagnostic(d, sources, options)).join('\n');
}

function renderDiagnostic(diagnostic: Diagnostic, sources: Sources, options: RenderOptions): string {
  const { code, severity, message, range, hint } = diagnostic;
  const { shownAs = (file: string) => file } = options;
  const paint = painter(options.color);
  const tone = severity === 'error' ? RED : YELLOW;
  const lines = [
    `${paint(tone, `${severity}:`)} ${paint(BOLD, clean(message, true))} ${paint(DIM, `[${code}]`)}`,
  ];
  if (range) {
    const excerpt = excerptOf(
      range,
      sources.get(range.file),
      options,
      (text) => paint(tone, text),
      (text) => paint(DIM, text),
    );
    const gutter = ' '.repeat(excerpt.gutter);
    lines.push(
      `${gutter}${paint(DIM, '-->')} ${clean(shownAs(range.file))}${isWhole(range, sources) ? '' : `:${range.start.line}:${range.start.column}`}`,
      ...excerpt.lines,
    );
  }
  if (hint !== undefined) lines.push(`  ${paint(GREEN, 'hint:')} ${clean(hint, true)}`);
  return `${lines.join('\n')}\n`;
}

/** Whether it speaks of a file that was not read: no line of it is meant. */
function isWhole({ file, end }: SourceRange, sources: Sources): boolean {
  return end.offset === 0 && !sources.has(file);
}

type Paint = (text: string) => string;

function excerptOf(
  range: SourceRange,
  text: string | undefined,
  options: RenderOptions,
  tone: Paint,
  dim: Paint,
): { lines: string[]; gutter: number } {
  const { start, end } = range;
  const gutter = String(start.line).length + 1;
  const lineStart = text === undefined ? -1 : startOfLine(text, start.offset);
  if (text === undefined || lineStart < 0) return { lines: [], gutter };
  const bar = dim('|');
  const lines = [`${' '.repeat(gutter)}${bar}`];
  const before = lineStart > 0 ? lineAt(text, startOfLine(text, lineStart - 1)) : '';
  if (before.trim() !== '') lines.push(sourceLine(start.line - 1, before, gutter, bar, options));
  const raw = lineAt(text, lineStart);
  const from = start.offset - lineStart;
  const to = Math.max(from + 1, Math.min(end.offset - lineStart, raw.length));
  const window = cut(raw, from, (options.width ?? 110) - gutter - 3);
  lines.push(sourceLine(start.line, window.text, gutter, bar, options));
  const blanks = clean(raw.slice(window.from, from)).replace(/\S/gu, ' ');
  const marks = Math.max(1, Math.min(to, window.to) - Math.max(from, window.from));
  lines.push(`${' '.repeat(gutter)}${bar} ${window.lead}${blanks}${tone('^'.repeat(marks))}`);
  return { lines, gutter };
}

function sourceLine(
  number: number,
  text: string,
  gutter: number,
  bar: string,
  options: RenderOptions,
): string {
  const most = (options.width ?? 110) - gutter - 3;
  const shown = clean(text);
  return `${String(number).padEnd(gutter)}${bar} ${shown.length > most ? `${shown.slice(0, Math.max(1, most - 1))}…` : shown}`;
}

/** The part of a line around `at` that fits `width` columns. */
function cut(
  line: string,
  at: number,
  width: number,
): { text: string; from: number; to: number; lead: string } {
  if (line.length <= width) return { text: line, from: 0, to: line.length, lead: '' };
  const from = at < width / 2 ? 0 : at - Math.floor(width / 3);
  const to = Math.min(line.length, from + width - 2);
  const lead = from > 0 ? '…' : '';
  return { text: lead + line.slice(from, to), from, to, lead: from > 0 ? ' ' : '' };
}

function startOfLine(text: string, offset: number): number {
  return offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
}

function lineAt(text: string, start: number): string {
  const end = text.indexOf('\n', start);
  return text.slice(start, end === -1 ? undefined : end).replace(/\r$/, '');
}

/** Text from outside must not steer the terminal: control characters become visible, tabs a blank. */
function clean(text: string, lines = false): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (c) =>
    c === '\t' ? ' ' : c === '\n' && lines ? c : '\ufffd',
  );
}

const RED = 31;
const GREEN = 32;
const YELLOW = 33;
const BOLD = 1;
const DIM = 2;

function painter(color: boolean): (style: number, text: string) => string {
  return (style, text) => (color ? `\u001b[${style}m${text}\u001b[0m` : text);
}
