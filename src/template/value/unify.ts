import { DYNAMIC, listOf, mapOf, sameType, setOf, STRING, type Type } from './type.ts';

/**
 * The type that values of all these types can be converted to, as for the two sides of a conditional or the
 * items of a list; undefined where there is none (cty/docs/convert.md, "Unification").
 */
export function unify(types: readonly Type[]): Type | undefined {
  const [first] = types;
  if (!first) return DYNAMIC;
  if (types.every((t) => sameType(t, first))) return first;
  if (types.some((t) => t.kind === 'dynamic')) return DYNAMIC;
  const kinds = new Set(types.map((t) => t.kind));
  const only = (...allowed: Type['kind'][]): boolean => [...kinds].every((k) => allowed.includes(k));
  if (only('string', 'number', 'bool')) return kinds.has('string') ? STRING : undefined;
  if (only('tuple')) return unifyTuples(types);
  if (only('list', 'tuple', 'set')) {
    const element = unify(types.flatMap(elementTypes));
    if (!element) return undefined;
    return kinds.has('list') || !kinds.has('set') ? listOf(element) : setOf(element);
  }
  if (only('object')) return unifyObjects(types);
  if (only('object', 'map')) {
    const element = unify(types.flatMap(elementTypes));
    return element && mapOf(element);
  }
  return undefined;
}

function elementTypes(type: Type): readonly Type[] {
  if ('element' in type) return [type.element];
  if (type.kind === 'tuple') return type.elements;
  return type.kind === 'object' ? [...type.attributes.values()] : [];
}

function unifyTuples(types: readonly Type[]): Type | undefined {
  const rows = types.map(elementTypes);
  const length = rows[0]?.length ?? 0;
  if (rows.every((row) => row.length === length)) {
    const elements = Array.from({ length }, (_, i) => unify(rows.map((row) => row[i] as Type)));
    return elements.includes(undefined) ? undefined : { kind: 'tuple', elements: elements as Type[] };
  }
  const element = unify(rows.flat());
  return element && listOf(element);
}

function unifyObjects(types: readonly Type[]): Type | undefined {
  const maps = types.map((t) => (t.kind === 'object' ? t.attributes : new Map<string, Type>()));
  const names = [...(maps[0] as ReadonlyMap<string, Type>).keys()];
  if (maps.every((m) => m.size === names.length && names.every((n) => m.has(n)))) {
    const attributes = new Map<string, Type>();
    for (const name of names) {
      const type = unify(maps.map((m) => m.get(name) as Type));
      if (!type) return undefined;
      attributes.set(name, type);
    }
    return { kind: 'object', attributes };
  }
  const element = unify(types.flatMap(elementTypes));
  return element && mapOf(element);
}
