import { isTrue, show } from '../../../template/gotemplate/builtins.ts';
import type { GoFunction } from '../../../template/gotemplate/execute.ts';
import { SafeRegExp, expandReplacement } from '../../../template/regexp/regexp.ts';
import { PatternError } from '../../../template/regexp/syntax.ts';
import { asText, integer, list, refuse, text } from './arguments.ts';

const MAX_TEXT = 16 * 1024 * 1024;

function repeat(count: unknown, value: unknown): string {
  const times = integer(count);
  if (times < 0 || times * text(value).length > MAX_TEXT) return refuse('the text would be too long');
  return text(value).repeat(times);
}

function substring(from: unknown, to: unknown, value: unknown): string {
  const [start, end] = [integer(from), integer(to)];
  const bytes = Buffer.from(text(value));
  if (start < 0) return bytes.subarray(0, Math.max(0, end)).toString();
  return bytes.subarray(start, end < 0 || end > bytes.length ? bytes.length : end).toString();
}

function truncate(count: unknown, value: unknown): string {
  const n = integer(count);
  const bytes = Buffer.from(text(value));
  if (n < 0 && bytes.length + n > 0) return bytes.subarray(bytes.length + n).toString();
  return n >= 0 && bytes.length > n ? bytes.subarray(0, n).toString() : bytes.toString();
}

function capitalized(value: string): string {
  return value.replace(/(^|\s)(\S)/gu, (_, blank: string, c: string) => blank + c.toUpperCase());
}

/** Where words begin: at blanks, dashes, underscores and capitals. */
function words(value: unknown): string[] {
  return text(value)
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .split(/[\s_-]+/)
    .filter((word) => word !== '');
}

function indent(spaces: unknown, value: unknown): string {
  return text(value).replace(/^/gm, repeat(spaces, ' '));
}

function splitMap(separator: unknown, value: unknown, most = -1): Map<string, string> {
  const parts = text(value).split(text(separator));
  const kept =
    most > 0 && parts.length > most
      ? [...parts.slice(0, most - 1), parts.slice(most - 1).join(text(separator))]
      : parts;
  return new Map(kept.map((part, i) => [`_${i}`, part]));
}

function trimSet(value: string, set: string, left: boolean, right: boolean): string {
  let [from, to] = [0, value.length];
  if (left) while (from < to && set.includes(value[from] as string)) from++;
  if (right) while (to > from && set.includes(value[to - 1] as string)) to--;
  return value.slice(from, to);
}

function regexp(pattern: unknown): SafeRegExp {
  try {
    return new SafeRegExp(text(pattern));
  } catch (error) {
    if (error instanceof PatternError) return refuse(error.message);
    throw error;
  }
}

function found(pattern: unknown, value: unknown): string {
  const match = regexp(pattern).find(text(value));
  return match ? text(value).slice(match.start, match.end) : '';
}

function matches(pattern: unknown, value: unknown, most: unknown): string[] {
  const all = [...regexp(pattern).findAll(text(value))].map((m) => text(value).slice(m.start, m.end));
  return integer(most) < 0 ? all : all.slice(0, integer(most));
}

function replaced(pattern: unknown, value: unknown, replacement: unknown, literal: boolean): string {
  const compiled = regexp(pattern);
  const subject = text(value);
  let out = '';
  let from = 0;
  for (const match of compiled.findAll(subject)) {
    out += subject.slice(from, match.start);
    out += literal ? text(replacement) : expandReplacement(text(replacement), match, subject, compiled.names);
    from = match.end;
  }
  return out + subject.slice(from);
}

function splitBy(pattern: unknown, value: unknown, most: unknown): string[] {
  const subject = text(value);
  const limit = integer(most);
  if (limit === 0) return [];
  const parts: string[] = [];
  let from = 0;
  for (const match of regexp(pattern).findAll(subject)) {
    if (limit > 0 && parts.length === limit - 1) break;
    if (match.end === 0) continue;
    parts.push(subject.slice(from, match.start));
    from = match.end;
  }
  return [...parts, subject.slice(from)];
}

function quoteWith(quote: (value: string) => string): GoFunction {
  return (...values) =>
    values
      .filter((v) => v !== undefined && v !== null)
      .map((v) => quote(show(v)))
      .join(' ');
}

function wrap(width: unknown, value: unknown, end = '\n'): string {
  const columns = Math.max(1, integer(width));
  const lines: string[] = [];
  for (const word of text(value).split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join(end);
}

/** sprig's functions on texts. */
export const textFunctions: ReadonlyMap<string, GoFunction> = new Map<string, GoFunction>([
  ['upper', (s) => text(s).toUpperCase()],
  ['lower', (s) => text(s).toLowerCase()],
  ['title', (s) => capitalized(text(s))],
  ['untitle', (s) => text(s).replace(/(^|\s)(\S)/gu, (_, b: string, c: string) => b + c.toLowerCase())],
  ['trim', (s) => text(s).trim()],
  ['trimAll', (set, s) => trimSet(text(s), text(set), true, true)],
  ['trimall', (set, s) => trimSet(text(s), text(set), true, true)],
  ['trimPrefix', (a, s) => (text(s).startsWith(text(a)) ? text(s).slice(text(a).length) : text(s))],
  [
    'trimSuffix',
    (a, s) => (text(a) !== '' && text(s).endsWith(text(a)) ? text(s).slice(0, -text(a).length) : text(s)),
  ],
  ['repeat', repeat],
  ['substr', substring],
  ['trunc', truncate],
  ['nospace', (s) => text(s).replace(/\s/gu, '')],
  [
    'initials',
    (s) =>
      text(s)
        .split(/\s+/)
        .map((w) => w.charAt(0))
        .join(''),
  ],
  ['contains', (part, s) => text(s).includes(text(part))],
  ['hasPrefix', (a, s) => text(s).startsWith(text(a))],
  ['hasSuffix', (a, s) => text(s).endsWith(text(a))],
  ['quote', quoteWith((s) => JSON.stringify(s))],
  ['squote', quoteWith((s) => `'${s}'`)],
  [
    'cat',
    (...all) =>
      all
        .filter((v) => v !== undefined && v !== null)
        .map(show)
        .join(' '),
  ],
  ['indent', indent],
  ['nindent', (n, s) => `\n${indent(n, s)}`],
  ['replace', (from, to, s) => text(s).replaceAll(text(from), () => text(to))],
  ['plural', (one, many, n) => (integer(n) === 1 ? text(one) : text(many))],
  ['snakecase', (s) => words(s).join('_').toLowerCase()],
  ['kebabcase', (s) => words(s).join('-').toLowerCase()],
  [
    'camelcase',
    (s) =>
      words(s)
        .map((w) => w.charAt(0).toUpperCase() + w.slice(1).toLowerCase())
        .join(''),
  ],
  [
    'swapcase',
    (s) => text(s).replace(/\p{L}/gu, (c) => (c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase())),
  ],
  ['wrap', (n, s) => wrap(n, s)],
  ['wrapWith', (n, end, s) => wrap(n, s, text(end))],
  ['abbrevboth', (left, right, s) => abbreviatedBoth(integer(left), integer(right), text(s))],
  ['abbrev', (n, s) => abbreviated(integer(n), text(s))],
  ['split', (separator, s) => splitMap(separator, s)],
  ['splitn', (separator, n, s) => splitMap(separator, s, integer(n))],
  ['splitList', (separator, s) => text(s).split(text(separator))],
  [
    'join',
    (separator, items) =>
      (Array.isArray(items) ? list(items).map(asText) : [asText(items)]).join(text(separator)),
  ],
  ['sortAlpha', (items) => list(items).map(asText).sort()],
  ['toString', asText],
  ['toStrings', (items) => list(items).map(asText)],
  ['coalesce', (...values) => values.find(isTrue)],
  ['regexMatch', (p, s) => regexp(p).find(text(s)) !== undefined],
  ['mustRegexMatch', (p, s) => regexp(p).find(text(s)) !== undefined],
  ['regexFind', found],
  ['mustRegexFind', found],
  ['regexFindAll', matches],
  ['mustRegexFindAll', matches],
  ['regexReplaceAll', (p, s, r) => replaced(p, s, r, false)],
  ['mustRegexReplaceAll', (p, s, r) => replaced(p, s, r, false)],
  ['regexReplaceAllLiteral', (p, s, r) => replaced(p, s, r, true)],
  ['mustRegexReplaceAllLiteral', (p, s, r) => replaced(p, s, r, true)],
  ['regexSplit', splitBy],
  ['mustRegexSplit', splitBy],
  ['regexQuoteMeta', (s) => text(s).replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')],
]);

/** From `left` on, so many characters with the dots on both sides (sprig's goutils.AbbreviateFull). */
function abbreviatedBoth(left: number, width: number, value: string): string {
  if (width < 4 || (left > 0 && width < 7) || value.length <= width) return value;
  let from = Math.min(left, value.length);
  if (value.length - from < width - 3) from = value.length - (width - 3);
  if (from <= 4) return `${value.slice(0, width - 3)}...`;
  if (width < 7) return value;
  if (from + width - 3 < value.length) return `...${abbreviated(width - 3, value.slice(from))}`;
  return `...${value.slice(value.length - (width - 3))}`;
}

function abbreviated(width: number, value: string): string {
  return width < 4 || value.length <= width ? value : `${value.slice(0, width - 3)}...`;
}
