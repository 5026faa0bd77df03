import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseAllDocuments, Scalar } from 'yaml';
import type { Alias, Document, Node, Pair, YAMLMap } from 'yaml';
import { ConversionError, convert } from '../value/convert.ts';
import { STRING } from '../value/type.ts';
import { entriesOf, itemsOf, NULL, object, tuple, type Value } from '../value/value.ts';
import { FunctionError } from './function.ts';
import { resolveScalar } from './yaml-scalar.ts';

/** Aliases repeat what they stand for, and that may repeat others: a few lines can stand for terabytes. */
const MAX_VALUES = 1_000_000;
const MAX_DEPTH = 250;

/**
 * Reads one YAML document as go-cty-yaml does: mappings become objects, sequences tuples, plain scalars booleans
 * (YAML 1.1's `yes` and `off` too), numbers with all their digits, timestamps of RFC 3339, or strings.
 * Of keys that come twice the last wins; `<<` merges. Throws FunctionError.
 */
export function decodeYaml(text: string): Value {
  const lines = new LineCounter();
  const document = parseOne(text, lines);
  return new Reader(document, lines).value(document.contents, 0);
}

function parseOne(text: string, lineCounter: LineCounter): Document {
  let documents: readonly Document[];
  try {
    documents = parseAllDocuments(text, {
      schema: 'failsafe',
      uniqueKeys: false,
      logLevel: 'silent',
      prettyErrors: false,
      lineCounter,
    });
  } catch (error) {
    // The reader calls itself for each level; how many the engine's stack holds is not ours to say.
    if (error instanceof RangeError) throw new FunctionError(TOO_DEEP, 0);
    throw error;
  }
  const [first, ...others] = documents;
  if (!first || (first.contents === null && !/^---/m.test(text)))
    throw new FunctionError('expected a YAML document; got none', 0);
  const [problem] = [...first.errors, ...others.flatMap((d) => d.errors)];
  if (problem?.code === 'RESOURCE_EXHAUSTION') throw new FunctionError(TOO_DEEP, 0);
  if (problem) {
    const { line, col } = lineCounter.linePos(problem.pos[0]);
    throw new FunctionError(
      `this is no YAML, seen on line ${line}, column ${col} of the text: ${problem.message}`,
      0,
    );
  }
  if (others.length > 0) throw new FunctionError('only one YAML document is allowed', 0);
  return first;
}

const TOO_DEEP = `YAML nested more than ${MAX_DEPTH} levels deep`;

class Reader {
  readonly #document: Document;
  readonly #lines: LineCounter;
  /** What anchors stand for; undefined while that is being read. */
  readonly #anchors = new Map<Node, { value: Value; count: number } | undefined>();
  /** Values read so far, those behind aliases counted again. */
  #count = 0;

  constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  value(node: unknown, depth: number): Value {
    if (depth > MAX_DEPTH) throw new FunctionError(TOO_DEEP, 0);
    if (node === null || node === undefined) return NULL;
    if (isAlias(node)) return this.#alias(node);
    const anchored = node as Node & { anchor?: string };
    if (anchored.anchor === undefined) return this.#plain(anchored, depth);
    this.#anchors.set(anchored, undefined);
    const before = this.#count;
    const value = this.#plain(anchored, depth);
    this.#anchors.set(anchored, { value, count: this.#count - before });
    return value;
  }

  #plain(node: Node, depth: number): Value {
    this.#add(1, node);
    if (isScalar(node)) return this.#scalar(node);
    if (isSeq(node)) {
      this.#checkTag(node, 'seq');
      return tuple(node.items.map((item) => this.value(item, depth + 1)));
    }
    if (isMap(node)) {
      this.#checkTag(node, 'map');
      return this.#mapping(node, depth);
    }
    return this.#fail(node, 'expected a mapping, a sequence or a scalar');
  }

  #mapping(node: YAMLMap, depth: number): Value {
    const entries = new Map<string, Value>();
    const merged = new Map<string, Value>();
    for (const pair of node.items) {
      if (isMergeKey(pair)) this.#merge(pair.value as Node | null, merged, depth);
      else entries.set(this.#key(pair.key as Node | null, node), this.value(pair.value, depth + 1));
    }
    return object(new Map([...merged, ...entries]));
  }

  /** `<<: *base` or `<<: [*a, *b]`: entries of other mappings; the first that has a key wins. */
  #merge(node: Node | null, into: Map<string, Value>, depth: number): void {
    const value = this.value(node, depth + 1);
    const sources = value.type.kind === 'tuple' ? itemsOf(value) : [value];
    for (const source of sources) {
      if (source.type.kind !== 'object') this.#fail(node, '"<<" takes a mapping or a sequence of mappings');
      for (const [key, item] of entriesOf(source)) if (!into.has(key)) into.set(key, item);
    }
  }

  #key(node: Node | null, mapping: YAMLMap): string {
    const value = node === null ? NULL : isScalar(node) ? this.#scalar(node) : undefined;
    if (value?.data === null) return this.#fail(node ?? mapping, 'a key must not be null');
    try {
      if (value) return convert(value, STRING).data as string;
    } catch (error) {
      if (!(error instanceof ConversionError)) throw error;
    }
    return this.#fail(node, 'a key must be a string');
  }

  #scalar(node: Scalar): Value {
    const quoted = node.type !== Scalar.PLAIN && node.type !== undefined;
    try {
      return resolveScalar(node.source ?? String(node.value as string), node.tag, quoted);
    } catch (error) {
      if (!(error instanceof FunctionError)) throw error;
      return this.#fail(node, error.message);
    }
  }

  #alias(node: Alias): Value {
    const target = node.resolve(this.#document);
    if (!target || !this.#anchors.has(target))
      return this.#fail(node, `there is no anchor "${node.source}" before this alias`);
    const known = this.#anchors.get(target);
    if (!known) return this.#fail(node, `the anchor "${node.source}" can't be used inside itself`);
    this.#add(known.count, node);
    return known.value;
  }

  #checkTag(node: Node & { tag?: string }, kind: string): void {
    if (node.tag !== undefined && node.tag !== `tag:yaml.org,2002:${kind}`)
      this.#fail(node, `the tag ${node.tag} is not known here`);
  }

  #add(count: number, node: Node): void {
    this.#count += count;
    if (this.#count > MAX_VALUES)
      this.#fail(node, `more than ${MAX_VALUES} values, aliases counted each time`);
  }

  #fail(node: Node | null, message: string): never {
    const start = node?.range?.[0];
    const line = start === undefined ? '' : `line ${this.#lines.linePos(start).line} of the text: `;
    throw new FunctionError(`${line}${message}`, 0);
  }
}

function isMergeKey(pair: Pair): boolean {
  return isPair(pair) && isScalar(pair.key) && pair.key.source === '<<' && pair.key.type === Scalar.PLAIN;
}
