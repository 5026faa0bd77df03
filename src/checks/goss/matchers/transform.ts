import { jsonPair, type JsonWriter } from '../go-json.ts';
import { parseGoFloat } from '../go-float.ts';
import { goQuote } from '../../../template/value/go-quote.ts';
import { valueText } from '../go-text.ts';
import { gomegaText } from '../gomega-text.ts';
import { appendedList, type GoValue, isList, sameValue, Strings } from '../values.ts';
import { gjson } from './gjson.ts';
import { type Matcher, MatchError, type MatcherResult } from './matcher.ts';

/** Turns what the system says into the kind of value that a matcher compares. */
export interface Transform extends JsonWriter {
  /** As Go prints it in errors. */
  readonly name: string;
  /** What reports show where it fails. */
  readonly zero: GoValue;
  /** Throws MatchError. */
  apply(value: GoValue): GoValue;
}

/** A matcher on a changed value. Its reports show the way of the value, where it changed. */
export function withTransform(transform: Transform, matcher: Matcher): Matcher {
  let value: GoValue = null;
  let changed = false;
  const result = (actual: GoValue, inner: MatcherResult): MatcherResult => ({
    ...inner,
    chain: [...(changed ? [transform] : []), ...(isTransformed(matcher) ? (inner.chain ?? []) : [])],
    untransformed: actual,
  });
  const own: Matcher = {
    match(actual) {
      value = transform.zero;
      try {
        value = transform.apply(actual);
      } catch (error) {
        changed = !sameValue(actual, value);
        if (error instanceof MatchError) throw new MatchError(`${transform.name}: ${error.message}`);
        throw error;
      }
      changed = !sameValue(actual, value);
      return matcher.match(value);
    },
    failure: (actual) => result(actual, matcher.failure(value)),
    negatedFailure: (actual) => result(actual, matcher.negatedFailure(value)),
    json: () => matcher.json(true),
  };
  transformed.add(own);
  return own;
}

/** Matchers made by withTransform: only directly nested ones form one chain. */
const transformed = new WeakSet<Matcher>();

function isTransformed(matcher: Matcher): boolean {
  return transformed.has(matcher);
}

const EMPTY: GoValue = new Map();
/** Blanks around a number do not count. */
function parsed(text: string): number {
  const value = parseGoFloat(text.trim());
  if (typeof value === 'object') throw new MatchError(value.error);
  return value;
}

export const toNumeric: Transform = {
  name: 'matchers.ToNumeric{}',
  zero: 0,
  apply(value) {
    if (typeof value === 'number' || typeof value === 'bigint') return value;
    if (typeof value === 'string') return parsed(value);
    if (value instanceof Strings) return parsed(value.items.join('\n'));
    throw new MatchError(`Expected numeric, Got:${gomegaText(value)}`);
  },
  json: () => jsonPair('to-numeric', EMPTY),
};

export const toText: Transform = {
  name: 'matchers.ToString{}',
  zero: null,
  apply(value) {
    if (value instanceof Strings) return value.items.join('\n');
    if (isList(value)) return value.map(valueText).join('\n');
    return valueText(value);
  },
  json: () => jsonPair('to-string', EMPTY),
};

export const toArray: Transform = {
  name: 'matchers.ToArray{}',
  zero: null,
  apply: (value) => (typeof value === 'string' ? new Strings(value.split('\n')) : value),
  json: () => jsonPair('to-array', EMPTY),
};

/** A part of a JSON text (gjson.dev). */
export function atPath(path: string): Transform {
  return {
    name: `matchers.Gjson{Path:${goQuote(path)}}`,
    zero: null,
    apply(value) {
      if (typeof value !== 'string') throw new MatchError(`Expected string, Got:${gomegaText(value)}`);
      let parsed: unknown;
      try {
        parsed = JSON.parse(value);
      } catch {
        throw new MatchError('Invalid json');
      }
      const found = gjson(parsed, path);
      if (found === undefined) throw new MatchError(`Path not found: ${path}`);
      return goValue(found);
    },
    json: () => jsonPair('gjson', new Map([['Path', path]])),
  };
}

/** JSON's numbers are floats in Go. */
function goValue(json: unknown): GoValue {
  if (Array.isArray(json)) return appendedList(json.map(goValue));
  if (typeof json === 'object' && json !== null)
    return new Map(Object.entries(json).map(([key, item]) => [key, goValue(item)]));
  return json as GoValue;
}
