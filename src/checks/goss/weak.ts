import type { Diagnostic } from '../../core/diagnostic.ts';
import { expectationOf, type GossResource, optionFlag, typeOf } from './resource.ts';
import { type GoValue, isList, isMap } from './values.ts';

/**
 * Says which checks would pass whatever the image holds: empty lists, `and: []`, patterns that match anything,
 * resources without a check, and files of which everything is skipped. Errors where `strict`.
 */
export function findWeakChecks(resources: readonly GossResource[], strict: boolean): Diagnostic[] {
  const found = resources.flatMap((resource) => weakIn(resource, strict));
  if (resources.length > 0 && resources.every((resource) => optionFlag(resource, 'skip'))) {
    const [first] = resources as readonly [GossResource];
    found.push(diagnostic(first, undefined, 'everything in the goss file is skipped', strict));
  }
  return found;
}

function weakIn(resource: GossResource, strict: boolean): Diagnostic[] {
  if (optionFlag(resource, 'skip')) return [];
  const what = `${resource.type} ${JSON.stringify(resource.key)}`;
  const { checks } = typeOf(resource);
  const given = checks.filter((check) => expectationOf(resource, check.name) !== undefined);
  if (given.length === 0 && !checks.some((check) => check.required))
    return [diagnostic(resource, undefined, `${what} checks nothing`, strict)];
  return given
    .filter((check) => assertsNothing(expectationOf(resource, check.name) as GoValue))
    .map((check) => diagnostic(resource, check.name, `${check.name} of ${what} asserts nothing`, strict));
}

/** Whether a matcher takes every value that it can be given. */
export function assertsNothing(expected: GoValue): boolean {
  if (isList(expected)) return expected.every(isEmptyPattern);
  if (!isMap(expected) || expected.size !== 1) return false;
  const [[name, value]] = expected as unknown as readonly [readonly [string, GoValue]];
  switch (name) {
    case 'and':
      return isList(value) && value.every(assertsNothing);
    case 'or':
      return isList(value) && value.some(assertsNothing);
    case 'contain-elements':
    case 'have-patterns':
      return isList(value) && value.every(isEmptyPattern);
    case 'gjson':
      return isMap(value) && value.size === 0;
    case 'have-prefix':
    case 'have-suffix':
    case 'contain-substring':
      return value === '';
    case 'match-regexp':
      return typeof value === 'string' && /^\^?(?:\(?\.\*\??\)?)?\$?$/.test(value);
    default:
      return false;
  }
}

function isEmptyPattern(pattern: GoValue): boolean {
  // Of a text, what `have-patterns` strips is not looked for.
  return typeof pattern === 'string' && (/^[\\/]*$/.test(pattern) || /^\/\^?(?:\.\*)?\$?\/$/.test(pattern));
}

function diagnostic(
  { range, attributeRanges }: GossResource,
  attribute: string | undefined,
  message: string,
  strict: boolean,
): Diagnostic {
  return {
    code: 'goss/asserts-nothing',
    severity: strict ? 'error' : 'warning',
    message,
    range: (attribute === undefined ? undefined : attributeRanges.get(attribute)) ?? range,
    hint: 'Say what is expected, or remove it.',
  };
}
