import { readFileSync } from 'node:fs';
import type { GoFunction } from '../../../template/gotemplate/execute.ts';
import { GoFunctionError } from '../../../template/gotemplate/function-error.ts';
import { SafeRegExp } from '../../../template/regexp/regexp.ts';
import { PatternError } from '../../../template/regexp/syntax.ts';
import { sprigFunctions } from './sprig.ts';

/** Functions of goss's templates: sprig's, and on top goss's own. */
export function gossFunctions(env: Readonly<Record<string, string | undefined>>): Map<string, GoFunction> {
  return new Map<string, GoFunction>([
    ...sprigFunctions(env),
    ['mkSlice', (...items) => items],
    ['readFile', (path) => readTrimmed(text(path))],
    ['getEnv', (name, otherwise) => env[text(name)] || (otherwise === undefined ? '' : text(otherwise))],
    ['regexMatch', (pattern, subject) => regexp(text(pattern)).find(text(subject)) !== undefined],
    ['toUpper', (value) => text(value).toUpperCase()],
    ['toLower', (value) => text(value).toLowerCase()],
    ['findStringSubmatch', (pattern, subject) => submatches(text(pattern), text(subject))],
  ]);
}

function readTrimmed(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new GoFunctionError(error instanceof Error ? error.message : String(error));
  }
}

/** Named groups by name; where none is named, all by number as a text. */
function submatches(pattern: string, subject: string): Map<string, string> {
  const compiled = regexp(pattern);
  const match = compiled.find(subject);
  if (!match) return new Map();
  const named = compiled.names.flatMap((name, i): [string, string][] =>
    name === undefined ? [] : [[name, match.groups[i] ?? '']],
  );
  if (named.length > 0) return new Map(named);
  const whole = subject.slice(match.start, match.end);
  return new Map([whole, ...match.groups].map((group, i) => [String(i), group ?? '']));
}

function regexp(pattern: string): SafeRegExp {
  try {
    return new SafeRegExp(pattern);
  } catch (error) {
    if (error instanceof PatternError) throw new GoFunctionError(error.message);
    throw error;
  }
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new GoFunctionError(`a text is needed, not ${typeof value}`);
}
