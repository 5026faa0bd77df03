import type { GeneratedData } from '../../core/machine.ts';
import { valueFromJson } from '../value/json.ts';
import { VOLATILE } from '../value/marks.ts';
import { STRING } from '../value/type.ts';
import { mark, object, unknown, UNKNOWN, type Value } from '../value/value.ts';
import { type EvalScope, findVariable, isNamespace, type Namespace } from './scope.ts';

/** `build` before the run: only its name is known. */
export function unknownBuild(name: Value): Namespace {
  return {
    what: 'build value',
    get: (key) => (key === 'name' ? name : unknown(STRING, VOLATILE)),
    names: () => ['name'],
    whole: () => ({ ...UNKNOWN, marks: VOLATILE }),
  };
}

/** `build` while a machine runs: what it generated. */
export function buildNamespace(scope: EvalScope, generated: GeneratedData): Namespace {
  const before = findVariable(scope, 'build');
  const name = before && isNamespace(before) ? before.get('name') : undefined;
  const entries = new Map<string, Value>(name ? [['name', name]] : []);
  for (const [key, value] of generated) entries.set(key, mark(valueFromJson(value), VOLATILE));
  return {
    what: 'build value',
    get: (key) => entries.get(key),
    names: () => entries.keys(),
    whole: () => object(entries),
  };
}
