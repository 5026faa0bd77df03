import type { ValueType } from '../../core/body-spec.ts';
import { BOOL, DYNAMIC, listOf, mapOf, NUMBER, setOf, STRING, type Type } from '../value/type.ts';

/** A plugin's type constraint as a type; attributes of objects may be left out. */
export function typeOfSpec(spec: ValueType): Type {
  if (spec === 'string') return STRING;
  if (spec === 'number') return NUMBER;
  if (spec === 'bool') return BOOL;
  if (spec === 'any') return DYNAMIC;
  if ('list' in spec) return listOf(typeOfSpec(spec.list));
  if ('set' in spec) return setOf(typeOfSpec(spec.set));
  if ('map' in spec) return mapOf(typeOfSpec(spec.map));
  const attributes = new Map(Object.entries(spec.object).map(([name, type]) => [name, typeOfSpec(type)]));
  return {
    kind: 'object',
    attributes,
    optional: new Map([...attributes.keys()].map((name) => [name, undefined])),
  };
}
