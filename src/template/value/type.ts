import type { Value } from './value.ts';

/** A type as in cty, on which HCL's values stand. `dynamic` is "any": nothing is known. */
export type Type =
  | { readonly kind: 'string' | 'number' | 'bool' | 'dynamic' }
  | { readonly kind: 'list' | 'set' | 'map'; readonly element: Type }
  | { readonly kind: 'tuple'; readonly elements: readonly Type[] }
  | {
      readonly kind: 'object';
      readonly attributes: ReadonlyMap<string, Type>;
      /** Only in type constraints: attributes that may be missing, with their defaults. */
      readonly optional?: ReadonlyMap<string, Value | undefined>;
    };

export const STRING: Type = { kind: 'string' };
export const NUMBER: Type = { kind: 'number' };
export const BOOL: Type = { kind: 'bool' };
export const DYNAMIC: Type = { kind: 'dynamic' };

export function listOf(element: Type): Type {
  return { kind: 'list', element };
}

export function setOf(element: Type): Type {
  return { kind: 'set', element };
}

export function mapOf(element: Type): Type {
  return { kind: 'map', element };
}

export function sameType(a: Type, b: Type): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind) return false;
  if ('element' in a) return sameType(a.element, (b as typeof a).element);
  if (a.kind === 'tuple') {
    const other = (b as typeof a).elements;
    return a.elements.length === other.length && a.elements.every((e, i) => sameType(e, other[i] as Type));
  }
  if (a.kind === 'object') {
    const other = (b as typeof a).attributes;
    return (
      a.attributes.size === other.size &&
      [...a.attributes].every(([name, type]) => {
        const second = other.get(name);
        return second !== undefined && sameType(type, second);
      })
    );
  }
  return true;
}

/** Whether nothing in the type is left open. */
export function isWhole(type: Type): boolean {
  if (type.kind === 'dynamic') return false;
  if ('element' in type) return isWhole(type.element);
  if (type.kind === 'tuple') return type.elements.every(isWhole);
  if (type.kind === 'object') return [...type.attributes.values()].every(isWhole);
  return true;
}

/** A type as users write it: `list(string)`. */
export function typeName(type: Type): string {
  if (type.kind === 'dynamic') return 'any';
  if ('element' in type) return `${type.kind}(${typeName(type.element)})`;
  if (type.kind === 'tuple') return `tuple([${type.elements.map(typeName).join(', ')}])`;
  if (type.kind === 'object') {
    return `object({${[...type.attributes].map(([name, t]) => `${name} = ${typeName(t)}`).join(', ')}})`;
  }
  return type.kind;
}
