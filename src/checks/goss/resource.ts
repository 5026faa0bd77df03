import type { SourceRange } from '../../core/diagnostic.ts';
import { valueText } from './go-text.ts';
import { RESOURCE_TYPES, type ResourceType } from './resource-types.ts';
import type { GoMap, GoValue } from './values.ts';

/** One thing that a goss file checks. */
export interface GossResource {
  /** `file`, `package`, … */
  readonly type: string;
  /** Its key in the file. */
  readonly key: string;
  /** Expectations and options, as written. */
  readonly attributes: GoMap;
  /** Where its key stands. */
  readonly range: SourceRange;
  /** Where the keys of its attributes stand. */
  readonly attributeRanges: ReadonlyMap<string, SourceRange>;
}

export function typeOf(resource: GossResource): ResourceType {
  return RESOURCE_TYPES.get(resource.type) as ResourceType;
}

/** What is looked at: the alias where there is one, else the key. */
export function subjectOf(resource: GossResource): string {
  const name = resource.type === 'command' ? 'exec' : typeOf(resource).alias;
  return (name !== undefined && optionText(resource, name)) || resource.key;
}

/** As reports name it: `key`, or `key: alias`. */
export function idOf(resource: GossResource): string {
  const { alias } = typeOf(resource);
  const other = alias === undefined ? undefined : optionText(resource, alias);
  return other === undefined || other === '' || other === resource.key
    ? resource.key
    : `${resource.key}: ${other}`;
}

export function optionText(resource: GossResource, name: string): string | undefined {
  const value = resource.attributes.get(name) ?? undefined;
  return value === undefined ? undefined : valueText(value);
}

export function optionFlag(resource: GossResource, name: string): boolean {
  return flagOf(resource.attributes.get(name) ?? null) === true;
}

/** A flag's value; undefined: it is none. Where Go knows that it wants one, YAML 1.1's words are read too (yaml.v3, decode.go). */
export function flagOf(value: GoValue): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return undefined;
  if (/^(?:[yY]|yes|Yes|YES|on|On|ON)$/.test(value)) return true;
  return /^(?:[nN]|no|No|NO|off|Off|OFF)$/.test(value) ? false : undefined;
}

/** Milliseconds; 0 stands for the default. */
export function optionTimeout(resource: GossResource, otherwise: number): number {
  const value = Number(resource.attributes.get('timeout') ?? 0n);
  return value === 0 ? otherwise : value;
}

/** What is expected of an attribute; undefined: nothing is. */
export function expectationOf(resource: GossResource, name: string): GoValue | undefined {
  const value = resource.attributes.get(name) ?? undefined;
  if (resource.type === 'dns' && name === 'resolvable' && value === undefined)
    return resource.attributes.get('resolveable') ?? undefined;
  return value;
}
