import {
  type Document,
  isAlias,
  isMap as isYamlMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Scalar,
} from 'yaml';
import { valueText } from './go-text.ts';
import { GoTime, type GoValue } from './values.ts';

/** A YAML text can't be read. `line` and `column` count from 1. */
export class YamlError extends Error {
  readonly line: number;
  readonly column: number;

  constructor(message: string, line: number, column: number) {
    super(message);
    this.line = line;
    this.column = column;
  }
}

export interface YamlPair {
  readonly key: string;
  readonly value: YamlNode;
  readonly line: number;
  readonly column: number;
}

/** A node with its place. Maps keep their pairs, so that each has a line. */
export type YamlNode = {
  readonly line: number;
  readonly column: number;
  /** It, or something below, is an anchor for others. */
  readonly anchored: boolean;
} & (
  | { readonly kind: 'map'; readonly pairs: readonly YamlPair[] }
  | { readonly kind: 'list'; readonly items: readonly YamlNode[] }
  | { readonly kind: 'scalar'; readonly value: GoValue }
);

/** Aliases can make a small text huge. */
const MAX_NODES = 200_000;
const MAX_DEPTH = 200;

/** Reads YAML as gopkg.in/yaml.v3 does into untyped values. `floats`: every number is one, as in Go's JSON. */
export function readYaml(text: string, options: { readonly floats?: boolean } = {}): YamlNode | undefined {
  const counter = new LineCounter();
  // The nesting of JSON may be made of tabs, which YAML refuses.
  const source = options.floats ? text.replace(/^\t+/gm, (tabs) => '  '.repeat(tabs.length)) : text;
  const documents = parseAllDocuments(source, {
    lineCounter: counter,
    prettyErrors: false,
    schema: 'core',
    logLevel: 'silent',
    // Keys are compared below, where aliases of maps are merged.
    uniqueKeys: true,
  });
  if (!Array.isArray(documents)) return undefined;
  const reader = new YamlReader(counter, options.floats ?? false);
  for (const { errors } of documents as Document.Parsed[]) {
    const [error] = errors;
    if (error) throw reader.error(error.message, error.pos[0]);
  }
  const [first, second] = (documents as Document.Parsed[]).filter((d) => d.contents !== null);
  if (second) throw reader.error('a second document: only one is read', second.range[0]);
  return first && reader.read(first);
}

class YamlReader {
  readonly #counter: LineCounter;
  readonly #floats: boolean;
  #nodes = 0;

  constructor(counter: LineCounter, floats: boolean) {
    this.#counter = counter;
    this.#floats = floats;
  }

  error(message: string, offset: number): YamlError {
    const { line, col } = this.#counter.linePos(offset);
    return new YamlError(message, Math.max(line, 1), Math.max(col, 1));
  }

  read(document: Document.Parsed): YamlNode | undefined {
    return this.#node(document.contents as Node, document, 0);
  }

  #node(node: Node | null, document: Document.Parsed, depth: number): YamlNode {
    const offset = node?.range?.[0] ?? 0;
    const at = this.#counter.linePos(offset);
    const place = { line: Math.max(at.line, 1), column: Math.max(at.col, 1) };
    if (++this.#nodes > MAX_NODES) throw this.error('the aliases make too large a text', offset);
    if (depth > MAX_DEPTH) throw this.error(`nested more than ${MAX_DEPTH} levels deep`, offset);
    if (node === null) return { ...place, anchored: false, kind: 'scalar', value: null };
    if (isAlias(node)) {
      const target = node.resolve(document);
      if (!target) throw this.error(`there is no anchor ${node.source}`, offset);
      return { ...this.#node(target, document, depth + 1), ...place };
    }
    const anchored = 'anchor' in node && node.anchor !== undefined;
    if (isYamlMap(node)) {
      const pairs = this.#pairs(node, document, depth);
      return { ...place, anchored: anchored || pairs.some((p) => p.value.anchored), kind: 'map', pairs };
    }
    if (isSeq(node)) {
      const items = node.items.map((item) => this.#node(item as Node | null, document, depth + 1));
      return { ...place, anchored: anchored || items.some((i) => i.anchored), kind: 'list', items };
    }
    if (!isScalar(node)) throw this.error('this is no map, list or scalar', offset);
    return { ...place, anchored, kind: 'scalar', value: this.#scalar(node, offset) };
  }

  #pairs(
    node: Node & { items: readonly { key: unknown; value: unknown }[] },
    document: Document.Parsed,
    depth: number,
  ): YamlPair[] {
    const own = new Map<string, YamlPair>();
    const merged = new Map<string, YamlPair>();
    for (const { key, value } of node.items) {
      const keyNode = key as Node | null;
      const read = this.#node((value ?? null) as Node | null, document, depth + 1);
      if (isScalar(keyNode) && keyNode.type === 'PLAIN' && keyNode.source === '<<') {
        for (const pair of this.#merge(read)) if (!merged.has(pair.key)) merged.set(pair.key, pair);
        continue;
      }
      const name = this.#node(keyNode, document, depth + 1);
      if (name.kind !== 'scalar') throw this.error('a key is no text', keyNode?.range?.[0] ?? 0);
      const { line, column } = name;
      // Goss gives YAML to Go's JSON-like maps, whose keys are texts.
      const text =
        isScalar(keyNode) && typeof keyNode.value === 'string' ? keyNode.value : keyText(name.value);
      if (own.has(text))
        throw this.error(
          `the key ${JSON.stringify(text)} comes twice; first on line ${own.get(text)?.line}`,
          keyNode?.range?.[0] ?? 0,
        );
      own.set(text, { key: text, value: read, line, column });
    }
    return [...own.values(), ...[...merged.values()].filter((pair) => !own.has(pair.key))];
  }

  /** `<<: *a` and `<<: [*a, *b]`; the first wins. */
  #merge(node: YamlNode): readonly YamlPair[] {
    if (node.kind === 'map') return node.pairs;
    if (node.kind === 'list') return node.items.flatMap((item) => this.#merge(item));
    throw new YamlError('`<<` merges maps only', node.line, node.column);
  }

  #scalar(node: Scalar, offset: number): GoValue {
    const source = node.source ?? '';
    const { tag } = node;
    if (tag === 'tag:yaml.org,2002:str' || tag === '!') return textOf(node);
    if (tag !== undefined && !/^tag:yaml\.org,2002:(?:int|float|bool|null|timestamp)$/.test(tag))
      throw this.error(`the tag ${tag} is not known here`, offset);
    if (tag === undefined && node.type !== 'PLAIN') return textOf(node);
    const value = plainScalar(source);
    return this.#floats && typeof value === 'bigint' ? Number(value) : value;
  }
}

function textOf({ value, source = '' }: Scalar): string {
  return typeof value === 'string' ? value : source;
}

function keyText(value: GoValue): string {
  return value === null ? 'null' : value instanceof GoTime ? value.rfc3339 : valueText(value);
}

const NULL = /^(?:|~|null|Null|NULL)$/;
const TRUE = /^(?:true|True|TRUE)$/;
const FALSE = /^(?:false|False|FALSE)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const INTEGER = /^[-+]?(?:0[bB][01]+|0[oO]?[0-7]+|0[xX][0-9a-fA-F]+|0|[1-9][0-9]*)$/;
const DATE =
  /^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt ]+([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?(?: ?Z)?)?$/;

/** A plain scalar's value by its look (yaml.v3, resolve.go): octals begin with 0 or 0o, `yes` is a text. */
export function plainScalar(source: string): GoValue {
  if (NULL.test(source)) return null;
  if (TRUE.test(source)) return true;
  if (FALSE.test(source)) return false;
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(source)) return source.startsWith('-') ? -Infinity : Infinity;
  if (/^\.(?:nan|NaN|NAN)$/.test(source)) return Number.NaN;
  if (/^[-+.0-9]/.test(source)) {
    const date = dateOf(source);
    if (date) return date;
    const bare = source.replaceAll('_', '');
    const whole = INTEGER.test(bare) ? integerOf(bare) : undefined;
    if (whole !== undefined) return whole;
    if (FLOAT.test(bare)) return Number(bare);
  }
  return source;
}

/** Of 64 bits; larger ones are floats. */
function integerOf(text: string): bigint | undefined {
  const digits = text.replace(/^[-+]/, '').replace(/^0(?=[0-7])/, '0o');
  const size = BigInt(digits.toLowerCase());
  const value = text.startsWith('-') ? -size : size;
  return value >= -(2n ** 63n) && value < 2n ** 64n ? value : undefined;
}

function dateOf(source: string): GoTime | undefined {
  const match = DATE.exec(source);
  if (!match) return undefined;
  const [, year, month = '', day = '', hour = '0', minute = '00', second = '00'] = match;
  const text = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}T${hour.padStart(2, '0')}:${minute}:${second}Z`;
  return Number.isNaN(Date.parse(text)) ? undefined : new GoTime(text);
}

/** A node's value without its places. */
export function valueOf(node: YamlNode): GoValue {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(valueOf);
  return new Map(node.pairs.map((pair) => [pair.key, valueOf(pair.value)]));
}
