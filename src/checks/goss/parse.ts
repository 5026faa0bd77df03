import { type Diagnostic, type SourceRange } from '../../core/diagnostic.ts';
import { flagOf, type GossResource } from './resource.ts';
import { COMMON_OPTIONS, type OptionKind, RESOURCE_TYPES } from './resource-types.ts';
import { readYaml, valueOf, YamlError, type YamlNode, type YamlPair } from './yaml-value.ts';

/** Another goss file that this one takes in. */
export interface Include {
  /** Path or glob, relative to the file that names it. */
  readonly pattern: string;
  readonly skip: boolean;
  readonly range: SourceRange;
}

export interface ParsedFile {
  readonly resources: readonly GossResource[];
  readonly includes: readonly Include[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads one goss file, its template already filled. Answers every defect with its place: bad YAML, unknown resource
 * types, attributes and kinds of values.
 */
export function parseGossFile(text: string, file: string): ParsedFile {
  return new FileParser(text, file).parse();
}

const INCLUDE_ATTRIBUTES: Readonly<Record<string, OptionKind>> = { ...COMMON_OPTIONS, file: 'text' };

class FileParser {
  readonly #text: string;
  readonly #file: string;
  readonly #starts: number[] = [0];
  readonly #diagnostics: Diagnostic[] = [];
  readonly #resources: GossResource[] = [];
  readonly #includes: Include[] = [];

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#starts.push(at + 1);
  }

  parse(): ParsedFile {
    const isJson = this.#file.endsWith('.json');
    try {
      if (isJson) mustBeJson(this.#text);
      const root = readYaml(this.#text, { floats: isJson });
      if (root) this.#root(root);
    } catch (error) {
      if (!(error instanceof YamlError)) throw error;
      this.#report('goss/bad-yaml', error.message, error, 'Mend the YAML there.');
    }
    return {
      resources: this.#resources,
      includes: this.#includes,
      diagnostics: this.#diagnostics,
    };
  }

  #root(root: YamlNode): void {
    if (root.kind === 'scalar' && root.value === null) return;
    if (root.kind !== 'map') {
      this.#report('goss/bad-value', 'a goss file is a map of resource types; this is none', root);
      return;
    }
    for (const pair of root.pairs) {
      if (pair.key === 'gossfile') this.#each(pair, (entry) => this.#include(entry));
      else if (RESOURCE_TYPES.has(pair.key)) this.#each(pair, (entry) => this.#resource(pair.key, entry));
      // A place for anchors that other resources take in.
      else if (!pair.value.anchored && !pair.key.startsWith('x-'))
        this.#report(
          'goss/unknown-key',
          `there is no resource type ${JSON.stringify(pair.key)}`,
          pair,
          `Known: ${[...RESOURCE_TYPES.keys(), 'gossfile'].sort().join(', ')}.`,
        );
    }
  }

  #each(section: YamlPair, visit: (entry: YamlPair) => void): void {
    const { value } = section;
    if (value.kind === 'map') for (const entry of value.pairs) visit(entry);
    else if (value.kind !== 'scalar' || value.value !== null)
      this.#report('goss/bad-value', `${section.key} is a map of names; this is none`, value);
  }

  #resource(type: string, entry: YamlPair): void {
    const definition = RESOURCE_TYPES.get(type);
    if (!definition) return;
    const options = { ...COMMON_OPTIONS, ...definition.options };
    const expected = definition.checks.map((check) => check.name);
    if (!this.#attributes(`${type} ${JSON.stringify(entry.key)}`, entry, options, expected)) return;
    const pairs = entry.value.kind === 'map' ? entry.value.pairs : [];
    this.#resources.push({
      type,
      key: entry.key,
      attributes: new Map(pairs.map((pair) => [pair.key, valueOf(pair.value)])),
      range: this.#range(entry, entry.key.length),
      attributeRanges: new Map(pairs.map((pair) => [pair.key, this.#range(pair, pair.key.length)])),
    });
  }

  #include(entry: YamlPair): void {
    if (!this.#attributes(`gossfile ${JSON.stringify(entry.key)}`, entry, INCLUDE_ATTRIBUTES, [])) return;
    const pairs = entry.value.kind === 'map' ? entry.value.pairs : [];
    const value = (name: string) => {
      const pair = pairs.find((p) => p.key === name);
      return pair && valueOf(pair.value);
    };
    const named = value('file');
    this.#includes.push({
      pattern: typeof named === 'string' && named !== '' ? named : entry.key,
      skip: flagOf(value('skip') ?? null) === true,
      range: this.#range(entry, entry.key.length),
    });
  }

  /** Whether all attributes are known and their kinds right. */
  #attributes(
    what: string,
    entry: YamlPair,
    options: Readonly<Record<string, OptionKind>>,
    expectations: readonly string[],
  ): boolean {
    const { value } = entry;
    if (value.kind !== 'map') {
      this.#report('goss/bad-value', `${what} needs attributes`, entry, 'Write `{}` where it has none.');
      return false;
    }
    const before = this.#diagnostics.length;
    for (const pair of value.pairs) {
      if (expectations.includes(pair.key)) continue;
      const kind = Object.hasOwn(options, pair.key) ? options[pair.key] : undefined;
      if (kind === undefined) {
        const known = [...expectations, ...Object.keys(options)].sort().join(', ');
        this.#report(
          'goss/unknown-key',
          `${what} has no attribute ${JSON.stringify(pair.key)}`,
          pair,
          `Known: ${known}.`,
        );
      } else if (!isOfKind(pair.value, kind)) {
        this.#report('goss/bad-value', `${pair.key} of ${what} must be ${KIND_WORDS[kind]}`, pair.value);
      }
    }
    return this.#diagnostics.length === before;
  }

  #report(
    code: string,
    message: string,
    at: { readonly line: number; readonly column: number },
    hint?: string,
  ): void {
    const length = 'key' in at && typeof at.key === 'string' ? at.key.length : 1;
    this.#diagnostics.push({
      code,
      severity: 'error',
      message,
      range: this.#range(at, length),
      ...(hint !== undefined && { hint }),
    });
  }

  #range({ line, column }: { readonly line: number; readonly column: number }, length: number): SourceRange {
    const offset = (this.#starts[line - 1] ?? 0) + column - 1;
    return {
      file: this.#file,
      start: { line, column, offset },
      end: { line, column: column + length, offset: offset + length },
    };
  }
}

/** As goss decides by the file's name, which refuses what YAML adds to JSON. */
function mustBeJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const before = text.slice(0, Number(/at position (\d+)/.exec(message)?.[1] ?? text.length));
    const lines = before.split('\n');
    throw new YamlError(`the file is no JSON: ${message}`, lines.length, (lines.at(-1) ?? '').length + 1);
  }
}

const KIND_WORDS: Readonly<Record<OptionKind, string>> = {
  text: 'a text',
  integer: 'a whole number',
  flag: 'true or false',
  texts: 'a list of texts',
  any: 'a value',
};

/** Whether Go would decode the node into such a field; null is its zero value. */
function isOfKind(node: YamlNode, kind: OptionKind): boolean {
  const value = valueOf(node);
  if (kind === 'any' || value === null) return true;
  switch (kind) {
    case 'text':
      return node.kind === 'scalar';
    case 'integer':
      return typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
    case 'flag':
      return flagOf(value) !== undefined;
    case 'texts':
      return node.kind === 'list' && node.items.every((item) => item.kind === 'scalar');
  }
}
