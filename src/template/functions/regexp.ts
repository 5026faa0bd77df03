import { expandReplacement, type Match, SafeRegExp } from '../regexp/regexp.ts';
import { PatternError } from '../regexp/syntax.ts';
import { MAX_CHARACTERS } from '../value/limits.ts';
import { DYNAMIC, STRING } from '../value/type.ts';
import { list, nullOf, object, string, tuple, type Value } from '../value/value.ts';
import { FunctionError, type FunctionSpec, param } from './function.ts';

const text = (value: Value | undefined): string => value?.data as string;

function compile(pattern: string, argument: number): SafeRegExp {
  try {
    return new SafeRegExp(pattern);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new FunctionError(`${JSON.stringify(pattern)}: ${error.message}`, argument);
  }
}

/** The whole where there are no groups, an object where they have names, else a tuple. */
function result(regexp: SafeRegExp, match: Match, input: string): Value {
  if (regexp.names.length === 0) return string(input.slice(match.start, match.end));
  const values = match.groups.map((g) => (g === undefined ? nullOf(STRING) : string(g)));
  const named = regexp.names.filter((n) => n !== undefined);
  if (named.length === 0) return tuple(values);
  if (named.length < regexp.names.length)
    throw new FunctionError('either all groups have names or none has', 0);
  return object(new Map(named.map((name, i) => [name, values[i] as Value])));
}

/** Functions of regular expressions in RE2's syntax. */
export const regexpFunctions: readonly FunctionSpec[] = [
  {
    name: 'regex',
    parameters: [param('pattern', STRING), param('string', STRING)],
    returns: DYNAMIC,
    call: ([pattern, input]) => {
      const regexp = compile(text(pattern), 0);
      const match = regexp.find(text(input));
      if (!match) throw new FunctionError('the pattern does not match any part of the string', 1);
      return result(regexp, match, text(input));
    },
  },
  {
    name: 'regexall',
    parameters: [param('pattern', STRING), param('string', STRING)],
    returns: DYNAMIC,
    call: ([pattern, input]) => {
      const regexp = compile(text(pattern), 0);
      const found = Array.from(regexp.findAll(text(input)), (match) => result(regexp, match, text(input)));
      const [first] = found;
      return list(found, first ? first.type : STRING);
    },
  },
  {
    name: 'regex_replace',
    parameters: [param('string', STRING), param('pattern', STRING), param('replacement', STRING)],
    returns: STRING,
    call: ([value, pattern, replacement]) => {
      const input = text(value);
      const regexp = compile(text(pattern), 1);
      const parts: string[] = [];
      let at = 0;
      let length = input.length;
      for (const match of regexp.findAll(input)) {
        const put = expandReplacement(text(replacement), match, input, regexp.names);
        length += put.length;
        if (length > MAX_CHARACTERS) throw new FunctionError('the result is too large');
        parts.push(input.slice(at, match.start), put);
        at = match.end;
      }
      return string(parts.join('') + input.slice(at));
    },
  },
];
