import { graphemes } from '../graphemes.ts';
import { MAX_CHARACTERS } from '../value/limits.ts';
import { BOOL, listOf, NUMBER, STRING } from '../value/type.ts';
import { bool, itemsOf, string, strings, type Value } from '../value/value.ts';
import { FunctionError, type FunctionSpec, param, wholeNumber } from './function.ts';

const text = (value: Value | undefined): string => value?.data as string;

/** A function of one string. */
function mapping(name: string, change: (value: string) => string): FunctionSpec {
  return {
    name,
    parameters: [param('str', STRING)],
    returns: STRING,
    call: ([s]) => string(change(text(s))),
  };
}

/** A test of two strings. */
function testing(
  name: string,
  second: string,
  test: (value: string, other: string) => boolean,
): FunctionSpec {
  const parameters = [param('str', STRING), param(second, STRING)];
  return { name, parameters, returns: BOOL, call: ([s, other]) => bool(test(text(s), text(other))) };
}

/** A function of two strings. */
function pair(name: string, second: string, change: (value: string, other: string) => string): FunctionSpec {
  const parameters = [param('str', STRING), param(second, STRING)];
  return { name, parameters, returns: STRING, call: ([s, other]) => string(change(text(s), text(other))) };
}

/** Removes characters that are in `set` from both ends, as Go's strings.Trim. */
function trim(value: string, set: string): string {
  const chars = new Set(set);
  const points = Array.from(value);
  let from = 0;
  let to = points.length;
  while (from < to && chars.has(points[from] as string)) from++;
  while (to > from && chars.has(points[to - 1] as string)) to--;
  return points.slice(from, to).join('');
}

/** Simple case mapping of single code points, as Go's unicode package has it. */
function simpleCase(value: string, change: (point: string) => string): string {
  return Array.from(value)
    .map((point) => (Array.from(change(point)).length === 1 ? change(point) : point))
    .join('');
}

function substr(value: string, offset: number, length: number): string {
  const parts = graphemes(value);
  const from = offset < 0 ? Math.max(0, parts.length + offset) : offset;
  return parts.slice(from, length < 0 ? undefined : from + length).join('');
}

/** Refuses a result that could be longer than any text may be, where `happens`. */
function checkLength(length: number, happens: () => boolean): void {
  if (length > MAX_CHARACTERS && happens()) throw new FunctionError('the result could be too large');
}

/** Go's strings.Replace: nothing stands before, between and behind all characters. */
function replaceAll(value: string, from: string, to: string): string {
  checkLength(
    value.length + (value.length / Math.max(from.length, 1)) * to.length,
    () => from === '' || value.includes(from),
  );
  if (from !== '') return value.replaceAll(from, () => to);
  return [to, ...Array.from(value).map((char) => char + to)].join('');
}

const join: FunctionSpec = {
  name: 'join',
  parameters: [param('separator', STRING)],
  rest: param('lists', listOf(STRING)),
  returns: STRING,
  call: ([separator, ...lists]) => {
    if (lists.length === 0) throw new FunctionError('at least one list is required');
    const items = lists.flatMap((l) => itemsOf(l));
    if (items.some((i) => i.data === null)) throw new FunctionError('a list element is null', 1);
    const length = items.reduce((sum, item) => sum + text(item).length + text(separator).length, 0);
    checkLength(length, () => true);
    return string(items.map(text).join(text(separator)));
  },
};

const split: FunctionSpec = {
  name: 'split',
  parameters: [param('separator', STRING), param('str', STRING)],
  returns: listOf(STRING),
  call: ([separator, str]) => {
    const by = text(separator);
    return strings(by === '' ? Array.from(text(str)) : text(str).split(by));
  },
};

/** Functions of strings: cty's stdlib and Packer's own. */
export const stringFunctions: readonly FunctionSpec[] = [
  mapping('upper', (s) => simpleCase(s, (c) => c.toUpperCase())),
  mapping('lower', (s) => simpleCase(s, (c) => c.toLowerCase())),
  // Go's strings.Title: behind blanks and ASCII punctuation but "_" a word begins.
  mapping('title', (s) =>
    s.replace(
      /(^|[\s\p{Cc}!-/:-@[-^`{-~])(\p{L})/gu,
      (_, before: string, c: string) => before + c.toUpperCase(),
    ),
  ),
  mapping('trimspace', (s) => s.trim()),
  mapping('chomp', (s) => s.replace(/(?:\r\n?|\n)*$/, '')),
  mapping('strrev', (s) => graphemes(s).reverse().join('')),
  pair('trim', 'cutset', trim),
  pair('trimprefix', 'prefix', (s, prefix) =>
    prefix !== '' && s.startsWith(prefix) ? s.slice(prefix.length) : s,
  ),
  pair('trimsuffix', 'suffix', (s, suffix) =>
    suffix !== '' && s.endsWith(suffix) ? s.slice(0, -suffix.length) : s,
  ),
  testing('startswith', 'prefix', (s, prefix) => s.startsWith(prefix)),
  testing('endswith', 'suffix', (s, suffix) => s.endsWith(suffix)),
  testing('strcontains', 'substr', (s, part) => s.includes(part)),
  {
    name: 'replace',
    parameters: [param('str', STRING), param('substr', STRING), param('replace', STRING)],
    returns: STRING,
    call: ([s, from, to]) => string(replaceAll(text(s), text(from), text(to))),
  },
  {
    name: 'substr',
    parameters: [param('str', STRING), param('offset', NUMBER), param('length', NUMBER)],
    returns: STRING,
    call: ([s, offset, length]) => string(substr(text(s), wholeNumber(offset, 1), wholeNumber(length, 2))),
  },
  {
    name: 'indent',
    parameters: [param('spaces', NUMBER), param('str', STRING)],
    returns: STRING,
    call: ([spaces, s]) => {
      const count = wholeNumber(spaces, 0);
      if (count < 0 || count > 10_000) throw new FunctionError('spaces must be from 0 to 10000', 0);
      const lines = text(s).split('\n');
      checkLength(text(s).length + lines.length * count, () => true);
      return string(lines.join(`\n${' '.repeat(count)}`));
    },
  },
  {
    name: 'urlencode',
    parameters: [param('str', STRING)],
    returns: STRING,
    // Go's url.QueryEscape: blanks become "+", and !'()* are escaped, too.
    call: ([s]) =>
      string(
        encodeURIComponent(Buffer.from(text(s)).toString())
          .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
          .replaceAll('%20', '+'),
      ),
  },
  join,
  split,
];
