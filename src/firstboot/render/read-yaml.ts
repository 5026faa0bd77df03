import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  type Tags,
} from 'yaml';
import type { Diagnostic, SourceRange } from '../../core/diagnostic.ts';
import { LineMap } from '../../template/json/line-map.ts';

/** A YAML document, and where in its text things stand. */
export interface YamlText {
  readonly document: Document;
  /** As Python's safe_load gives it; bytes are texts of a character a byte. */
  readonly value: unknown;
  readonly name: string;
  /** Place of what a path leads to, or of the nearest thing around it. `key`: of the key in its map. */
  rangeOf(path: readonly (string | number)[], what?: 'key' | 'value'): SourceRange;
}

/**
 * Where PyYAML is not what YAML 1.1 says: `y` and `n` are texts to it, and so is `1e3` without a dot and a sign
 * (yaml/resolver.py).
 */
const PYTHON: Readonly<Record<string, RegExp>> = {
  true: /^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/,
  false: /^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/,
  EXP: /^[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)[eE][-+][0-9]+$/,
};

function asPython(tags: Tags): Tags {
  return tags.map((tag) => {
    if (typeof tag !== 'object' || tag.collection !== undefined) return tag;
    const { test: pattern, format } = tag;
    const isBool = tag.tag === 'tag:yaml.org,2002:bool';
    const own = isBool ? PYTHON[String(pattern?.test('true'))] : format === 'EXP' ? PYTHON.EXP : undefined;
    return own ? { ...tag, test: own } : tag;
  });
}

/** Deeper documents are hostile. */
const DEEPEST = 200;

/**
 * Reads one document by the rules of cloud-init's parser, PyYAML (YAML 1.1: `yes` is true, `0644` octal), but a key
 * that comes twice is an error, not the last one's. Findings are `render/bad-yaml`.
 */
export function readYaml(name: string, text: string, found: Diagnostic[]): YamlText | undefined {
  const lines = new LineMap(text, name);
  const refuse = (message: string, [start, end]: readonly [number, number], hint: string): undefined =>
    void found.push({
      code: 'render/bad-yaml',
      severity: 'error',
      message,
      range: lines.range(start, end),
      hint,
    });
  const deep = tooDeep(text);
  if (deep !== undefined)
    return refuse(
      `${name} nests deeper than ${DEEPEST} levels`,
      [deep, deep + 1],
      'So deep a document is no configuration.',
    );
  const document = parseDocument(text, {
    version: '1.1',
    customTags: asPython,
    uniqueKeys: true,
    prettyErrors: false,
  });
  const [error] = document.errors;
  if (error) {
    const at = error.pos[0];
    const isTab = /^[ ]*\t/.test(text.slice(text.lastIndexOf('\n', at - 1) + 1)) || text[at] === '\t';
    return refuse(
      `${name} is no YAML: ${error.message.split('\n')[0]}`,
      [at, Math.max(at + 1, Math.min(error.pos[1], at + 80))],
      isTab
        ? 'YAML is indented by blanks, never by tabs.'
        : error.code === 'DUPLICATE_KEY'
          ? 'cloud-init would take the last one and say nothing. Keep one.'
          : 'See the line above.',
    );
  }
  try {
    const value: unknown = plain(document.toJS({ maxAliasCount: 100 }));
    return { document, value, name, rangeOf: (path, what) => rangeIn(document, lines, path, what) };
  } catch (cause) {
    return refuse(
      `${name} can't be read: ${(cause as Error).message}`,
      [0, 1],
      'Write aliases that grow out in full.',
    );
  }
}

/** Place where brackets or indentation nest too deep; the parser would run out of stack. */
function tooDeep(text: string): number | undefined {
  let open = 0;
  for (let at = 0; at < text.length; at++) {
    const c = text[at];
    if (c === '[' || c === '{') open++;
    else if (c === ']' || c === '}') open = Math.max(0, open - 1);
    else if (c === '\n') {
      const indent = /[ -]*/y;
      indent.lastIndex = at + 1;
      if ((indent.exec(text)?.[0].length ?? 0) > 2 * DEEPEST) return at + 1;
    }
    if (open > DEEPEST) return at;
  }
  return undefined;
}

/** Bytes (`!!binary`) as text, since cloud-init takes them for such; maps without a prototype's keys. */
function plain(value: unknown): unknown {
  if (ArrayBuffer.isView(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

function rangeIn(
  document: Document,
  lines: LineMap,
  path: readonly (string | number)[],
  what: 'key' | 'value' = 'value',
): SourceRange {
  let node = document.contents as Node | null;
  let best: readonly [number, number] = node?.range ? [node.range[0], node.range[0] + 1] : [0, 0];
  for (const [i, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document) ?? null;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step)) as
        | Pair<Node, Node>
        | undefined;
      const isLast = i === path.length - 1;
      const place = isLast && what === 'key' ? pair?.key : (pair?.value ?? pair?.key);
      if (!pair || !place?.range) break;
      best = [place.range[0], place.range[1]];
      node = pair.value;
    } else if (isSeq(node)) {
      const item = node.items[Number(step)] as Node | undefined;
      if (!item?.range) break;
      best = [item.range[0], item.range[1]];
      node = item;
    } else break;
  }
  return lines.range(best[0], Math.max(best[0] + 1, best[1]));
}
