/**
 * A part of a JSON value by a gjson path (github.com/tidwall/gjson, SYNTAX.md): keys and indices, `\` before special
 * characters, wildcards, `#`, queries `#(…)` and `#(…)#`, pipes, the modifiers that need no other input, and the
 * multipaths `{…}` and `[…]`, JSON lines `..`. Undefined where there is nothing.
 */
export function gjson(json: unknown, path: string): unknown {
  // `..` takes a text as lines of JSON; one text that is valid as a whole is one line.
  return path.startsWith('..') ? follow([json], path.slice(2), 0) : follow(json, path, 0);
}

const MAX_DEPTH = 100;

function follow(json: unknown, path: string, depth: number): unknown {
  if (path === '' || depth > MAX_DEPTH) return undefined;
  if (path.startsWith('@')) return modify(json, path, depth);
  if (path.startsWith('{') || path.startsWith('[')) return multipath(json, path, depth);
  if (path.startsWith('!')) return literal(path.slice(1), depth);
  if (path.startsWith('#')) return overArray(json, path, depth);
  const { part, separator, rest } = splitPart(path);
  const found = member(json, part);
  return found === undefined || separator === '' ? found : follow(found, rest, depth + 1);
}

interface Part {
  readonly part: string;
  /** `.`, `|` or the path's end. */
  readonly separator: string;
  readonly rest: string;
}

/** The first component; the escapes stay in it. */
function splitPart(path: string): Part {
  let at = 0;
  for (; at < path.length && path[at] !== '.' && path[at] !== '|'; at++) if (path[at] === '\\') at++;
  return { part: path.slice(0, at), separator: path[at] ?? '', rest: path.slice(at + 1) };
}

function member(json: unknown, part: string): unknown {
  if (Array.isArray(json)) return /^\d+$/.test(part) ? (json as unknown[])[Number(part)] : undefined;
  if (typeof json !== 'object' || json === null) return undefined;
  if (/(?:^|[^\\])[*?]/.test(part)) {
    const key = Object.keys(json).find((name) => fitsWildcard(name, part));
    return key === undefined ? undefined : (json as Record<string, unknown>)[key];
  }
  const name = part.replace(/\\(.)/gs, '$1');
  return Object.hasOwn(json, name) ? (json as Record<string, unknown>)[name] : undefined;
}

/** `*` any characters, `?` one; without backtracking over more than the last `*`. */
function fitsWildcard(text: string, pattern: string): boolean {
  let [t, p] = [0, 0];
  let [star, mark] = [-1, 0];
  while (t < text.length) {
    const escaped = pattern[p] === '\\';
    const char = escaped ? pattern[p + 1] : pattern[p];
    if (!escaped && char === '*') {
      star = p++;
      mark = t;
    } else if (char !== undefined && ((!escaped && char === '?') || char === text[t])) {
      t++;
      p += escaped ? 2 : 1;
    } else if (star !== -1) {
      p = star + 1;
      t = ++mark;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** `#`, `#.rest`, `#(query)rest`, `#(query)#rest`. */
function overArray(json: unknown, path: string, depth: number): unknown {
  if (!Array.isArray(json)) return undefined;
  if (path === '#') return json.length;
  if (path.startsWith('#.') || path.startsWith('#|')) {
    // Behind a pipe the whole count goes on; behind a dot every element does.
    if (path[1] === '|') return follow(json.length, path.slice(2), depth + 1);
    return each(json, path.slice(2), depth);
  }
  if (!path.startsWith('#(')) return undefined;
  const end = closing(path, 1);
  if (end === -1) return undefined;
  const query = path.slice(2, end);
  const all = path[end + 1] === '#';
  const rest = path.slice(end + (all ? 2 : 1));
  const hits = json.filter((element: unknown) => fulfils(element, query, depth));
  const next = rest.slice(1);
  if (!all) {
    const [first] = hits as unknown[];
    return first === undefined || rest === '' ? first : follow(first, next, depth + 1);
  }
  if (rest === '') return hits;
  return rest.startsWith('|') ? follow(hits, next, depth + 1) : each(hits, next, depth);
}

/** What the path finds in every element; a pipe behind it takes the list as a whole. */
function each(elements: readonly unknown[], path: string, depth: number): unknown {
  const pipe = pipeAt(path);
  const inner = pipe === -1 ? path : path.slice(0, pipe);
  const found = elements.map((e) => follow(e, inner, depth + 1)).filter((value) => value !== undefined);
  return pipe === -1 ? found : follow(found, path.slice(pipe + 1), depth + 1);
}

function pipeAt(path: string): number {
  for (let i = 0; i < path.length; i++) {
    const c = path[i] as string;
    if (c === '\\') i++;
    else if (c === '|') return i;
    else if ('([{'.includes(c)) {
      const end = closing(path, i);
      if (end === -1) return -1;
      i = end;
    }
  }
  return -1;
}

/** Where the bracket at `open` closes; strings and inner brackets are passed over. */
function closing(path: string, open: number): number {
  let depth = 0;
  for (let i = open; i < path.length; i++) {
    const c = path[i] as string;
    if (c === '\\') i++;
    else if (c === '"') {
      for (i++; i < path.length && path[i] !== '"'; i++) if (path[i] === '\\') i++;
    } else if ('([{'.includes(c)) depth++;
    else if (')]}'.includes(c) && --depth === 0) return i;
  }
  return -1;
}

const QUERY = /^(.*?)(==|!=|<=|>=|!%|=|<|>|%)(.*)$/s;

function fulfils(element: unknown, query: string, depth: number): boolean {
  const match = query.startsWith('#(') ? QUERY.exec(query.slice(closing(query, 1) + 1)) : QUERY.exec(query);
  if (!match) return (query.trim() === '' ? element : follow(element, query.trim(), depth + 1)) !== undefined;
  const nested = query.startsWith('#(') ? query.slice(0, closing(query, 1) + 1) : '';
  const path = (nested + (match[1] as string)).trim();
  const value = path === '' ? element : follow(element, path, depth + 1);
  const operator = match[2] as string;
  const text = (match[3] as string).trim();
  if (value === undefined) return false;
  if (text.startsWith('~')) return (truth(value, text) === true) === (operator !== '!=');
  const expected = jsonLiteral(text);
  if (operator === '%' || operator === '!%')
    return (
      typeof value === 'string' &&
      typeof expected === 'string' &&
      fitsWildcard(value, expected) === (operator === '%')
    );
  return ordered(value, operator, expected);
}

/** `~true`, `~false`, `~null`, `~*`: how a value counts. */
function truth(value: unknown, word: string): boolean | undefined {
  const truthy =
    value === true ||
    (typeof value === 'number' && value !== 0) ||
    value === '1' ||
    (typeof value === 'string' && /^(?:t|true)$/i.test(value));
  if (word === '~true') return truthy;
  if (word === '~false') return !truthy;
  if (word === '~null') return value === null;
  return word === '~*' ? true : undefined;
}

function ordered(value: unknown, operator: string, expected: unknown): boolean {
  if (typeof value !== typeof expected || (value === null) !== (expected === null)) return operator === '!=';
  if (value === null || typeof value === 'boolean') {
    if (operator === '=' || operator === '==') return value === expected;
    if (operator === '!=') return value !== expected;
    return operator.startsWith('>')
      ? value === true && (operator === '>=' || expected === false)
      : value === false && (operator === '<=' || expected === true);
  }
  const [a, b] = [value as number, expected as number];
  switch (operator) {
    case '=':
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    default:
      return a >= b;
  }
}

function jsonLiteral(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `!"text"`, `!5`: a value of the path's own. */
function literal(text: string, depth: number): unknown {
  const end = /^(?:"(?:[^"\\]|\\.)*"|[^.|]+)/s.exec(text)?.[0] ?? '';
  const value = jsonLiteral(end);
  const rest = text.slice(end.length);
  return rest === '' ? value : follow(value, rest.slice(1), depth + 1);
}

function multipath(json: unknown, path: string, depth: number): unknown {
  const end = closing(path, 0);
  if (end === -1) return undefined;
  const parts = commaParts(path.slice(1, end));
  const entries = parts.flatMap((part): (readonly [string, unknown])[] => {
    const named = /^("(?:[^"\\]|\\.)*"):(.*)$/s.exec(part);
    const inner = named ? (named[2] as string) : part;
    const value = follow(json, inner, depth + 1);
    const name = named ? String(jsonLiteral(named[1] as string)) : (inner.split(/[.|]/).at(-1) ?? '');
    return value === undefined ? [] : [[name, value]];
  });
  const made: unknown = path.startsWith('{') ? Object.fromEntries(entries) : entries.map(([, v]) => v);
  const rest = path.slice(end + 1);
  return rest === '' ? made : follow(made, rest.slice(1), depth + 1);
}

function commaParts(text: string): string[] {
  const parts: string[] = [];
  let from = 0;
  for (let i = 0; i <= text.length; i++) {
    const c = text[i];
    if (c === undefined || c === ',') {
      if (i > from) parts.push(text.slice(from, i).trim());
      from = i + 1;
    } else if (c === '\\') i++;
    else if ('([{'.includes(c)) {
      const end = closing(text, i);
      if (end !== -1) i = end;
    } else if (c === '"') for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === '\\') i++;
  }
  return parts;
}

type Modifier = (json: unknown, argument: unknown) => unknown;

const isObject = (json: unknown): json is Record<string, unknown> =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

/** Objects of a list as one: of equal keys the last value counts, with `preserve` the first. */
function join(json: unknown, argument: unknown): unknown {
  if (!Array.isArray(json)) return json;
  const objects = json.filter(isObject);
  const first = isObject(argument) && argument['preserve'] === true;
  return Object.assign({}, ...(first ? objects.reverse() : objects));
}

/** Lists of one object, side by side, as a list of objects. */
function group(json: unknown): unknown {
  if (!isObject(json)) return undefined;
  const rows: Record<string, unknown>[] = [];
  for (const [key, list] of Object.entries(json))
    if (Array.isArray(list)) list.forEach((item: unknown, i) => ((rows[i] ??= {})[key] = item));
  return rows;
}

/** What the path finds here and in every value inside. */
function* dig(json: unknown, path: string, depth: number): Generator {
  if (depth > MAX_DEPTH) return;
  const found = follow(json, path, depth + 1);
  if (found !== undefined) yield found;
  if (typeof json === 'object' && json !== null)
    for (const inner of Object.values(json)) yield* dig(inner, path, depth + 1);
}

const MODIFIERS: ReadonlyMap<string, Modifier> = new Map<string, Modifier>([
  ['this', (json) => json],
  ['valid', (json) => json],
  ['pretty', (json) => json],
  ['ugly', (json) => json],
  [
    'reverse',
    (json) =>
      Array.isArray(json)
        ? [...(json as unknown[])].reverse()
        : isObject(json)
          ? Object.fromEntries(Object.entries(json).reverse())
          : json,
  ],
  ['keys', (json) => (isObject(json) ? Object.keys(json) : [json].flat().map(() => null))],
  ['values', (json) => (isObject(json) ? Object.values(json) : [json].flat())],
  ['group', group],
  ['dig', (json, argument) => [...dig(json, typeof argument === 'string' ? argument : '', 0)]],
  [
    'flatten',
    (json, argument) =>
      Array.isArray(json) ? json.flat(isObject(argument) && argument['deep'] === true ? MAX_DEPTH : 1) : json,
  ],
  ['join', join],
  ['tostr', (json) => JSON.stringify(json)],
  ['fromstr', (json) => (typeof json === 'string' ? parsedJson(json) : json)],
]);

/** `@name`, `@name:argument`, and what follows. */
function modify(json: unknown, path: string, depth: number): unknown {
  const name = /^@([A-Za-z]+)/.exec(path)?.[1] ?? '';
  const modifier = MODIFIERS.get(name);
  if (!modifier) return undefined;
  let rest = path.slice(name.length + 1);
  let argument: unknown;
  if (rest.startsWith(':')) {
    const end = '{["('.includes(rest[1] ?? ' ') ? closing(rest, 1) + 1 : rest.search(/\||$/);
    argument = jsonLiteral(rest.slice(1, end));
    rest = rest.slice(end);
  }
  const value = modifier(json, argument);
  return rest === '' || value === undefined ? value : follow(value, rest.slice(1), depth + 1);
}
