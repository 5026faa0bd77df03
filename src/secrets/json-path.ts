import { IngotError } from '../core/error.ts';
import { isMap } from './document.ts';

interface Step {
  /** `//`: at any depth. */
  readonly deep: boolean;
  /** A key, or `*` for any. */
  readonly name: string;
  readonly predicate: ((node: unknown, index: number, size: number) => boolean) | undefined;
}

const STEP = /(\/\/?)?([^/[\]]+)(?:\[([^\]]*)\])?/y;

/**
 * The first value that a location path of XPath 1.0 leads to in a JSON document: `name`, `*`, `/`, `//`, `[2]` (from 1),
 * `[last()]`, `[key='text']` and `[key=5]`. Items of lists have no name: `*` finds them. undefined where there is none. Throws
 * `secrets/bad-reference` for anything else of XPath.
 */
export function selectJson(document: unknown, path: string): unknown {
  let nodes: unknown[] = [document];
  for (const step of readSteps(path)) {
    nodes = nodes.flatMap((node) => {
      const parents = step.deep ? [node, ...descendants(node)] : [node];
      return parents.flatMap((parent) => matching(parent, step));
    });
  }
  return nodes[0];
}

function matching(parent: unknown, { name, predicate }: Step): unknown[] {
  const named = children(parent)
    .filter(([key]) => name === '*' || key === name)
    .map(([, value]) => value);
  return predicate ? named.filter((value, i) => predicate(value, i + 1, named.length)) : named;
}

/** The fields of a map, in the order of their names, or the items of a list, which have none. */
function children(node: unknown): [string, unknown][] {
  if (Array.isArray(node)) return node.map((item) => ['', item]);
  return isMap(node) ? Object.entries(node).sort(([a], [b]) => (a < b ? -1 : 1)) : [];
}

function descendants(node: unknown): unknown[] {
  return children(node).flatMap(([, value]) => [value, ...descendants(value)]);
}

function readSteps(path: string): Step[] {
  const steps: Step[] = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < path.length) {
    const match = STEP.exec(path);
    const name = match?.[2] as string;
    // Without a slash a name may only begin.
    if (
      !match ||
      (steps.length > 0 && match[1] === undefined) ||
      !/^(?:\*|[\p{L}_][\p{L}\p{N}_.-]*)$/u.test(name)
    )
      throw unknownPath(path);
    steps.push({ deep: match[1] === '//', name, predicate: readPredicate(match[3], path) });
  }
  return steps;
}

function readPredicate(text: string | undefined, path: string): Step['predicate'] {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return (_node, index) => index === Number(text);
  if (text === 'last()') return (_node, index, size) => index === size;
  const [, key, , value, number] =
    /^([\p{L}_][\p{L}\p{N}_.-]*)\s*=\s*(?:(['"])(.*)\2|(-?\d+(?:\.\d+)?))$/u.exec(text) ?? [];
  if (key === undefined) throw unknownPath(path);
  const fits = (one: unknown): boolean =>
    number === undefined
      ? String(one) === value
      : String(one).trim() !== '' && Number(one) === Number(number);
  return (node) => isMap(node) && Object.hasOwn(node, key) && fits(node[key]);
}

function unknownPath(path: string): IngotError {
  return new IngotError('secrets/bad-reference', `the XPath ${JSON.stringify(path)} is not understood`, {
    hint: "Use names, *, /, //, [1], [last()], [key='text'] and [key=5].",
  });
}
