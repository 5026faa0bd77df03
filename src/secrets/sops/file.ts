import {
  type Document,
  isAlias,
  isMap as isYamlMap,
  isScalar,
  isSeq,
  parseDocument,
  type Scalar,
} from 'yaml';
import { IngotError } from '../../core/error.ts';
import { isMap } from '../document.ts';
import { goJson } from '../go-json.ts';

export type SopsFormat = 'yaml' | 'json' | 'dotenv' | 'binary';

/** A value of the file, in the order of its MAC. */
export interface Leaf {
  /** Keys above it; indexes of lists do not count. */
  readonly path: readonly string[];
  readonly value: unknown;
  set(value: unknown): void;
  /** For what turns out to be a comment: sops keeps those of lists among their items. */
  remove(): void;
}

export interface SopsFile {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly leaves: readonly Leaf[];
  /** The content after its leaves were set: as data, and as text. */
  data(): unknown;
  text(): string;
}

/** Takes a sops file apart. Throws `secrets/bad-document`, and `secrets/unsupported` for INI. */
export function readSopsFile(content: string, format: SopsFormat): SopsFile {
  return format === 'dotenv' ? readDotenv(content) : readTree(content, format);
}

/** The format that a parameter or a file's name says, as sops has it: everything else is binary. */
export function sopsFormat(path: string, wanted: string | undefined): SopsFormat {
  const name = wanted ?? /\.(ya?ml|json|env|ini)$/.exec(path)?.[1] ?? 'binary';
  const known: Record<string, SopsFormat> = {
    yaml: 'yaml',
    yml: 'yaml',
    json: 'json',
    dotenv: 'dotenv',
    env: 'dotenv',
    binary: 'binary',
  };
  const format = Object.hasOwn(known, name) ? known[name] : undefined;
  if (format) return format;
  throw new IngotError('secrets/unsupported', `sops files of the format ${name} are not supported yet`, {
    hint: 'There are yaml, json, dotenv and binary.',
  });
}

/** YAML, JSON, and binary files, which are JSON with one field. */
function readTree(content: string, format: 'yaml' | 'json' | 'binary'): SopsFile {
  const document = parseDocument(content, { intAsBigInt: true, prettyErrors: false });
  const root = document.contents;
  if (document.errors.length > 0 || !isYamlMap(root)) throw notSops();
  const metadata: unknown = (document.toJS() as Record<string, unknown>).sops;
  if (!isMap(metadata)) throw notSops();
  document.delete('sops');
  return {
    metadata,
    leaves: leavesOf(root, [], 0, () => {}),
    data: () => document.toJS(),
    text() {
      if (format === 'binary') return binaryText(document.toJS());
      return format === 'json' ? `${jsonOf(root, '')}\n` : yamlText(document);
    },
  };
}

/** A YAML file under another name is no binary one: its text would be nothing. */
function binaryText(content: unknown): string {
  if (isMap(content) && typeof content.data === 'string') return content.data;
  throw new IngotError(
    'secrets/bad-document',
    'this sops file has no binary content, which is kept under "data"',
    {
      hint: 'Say what it is with ?format=yaml or json, or give it the ending .yaml.',
    },
  );
}

function leavesOf(node: unknown, path: readonly string[], depth: number, remove: () => void): Leaf[] {
  if (depth > 200 || isAlias(node)) throw notSops();
  if (isYamlMap(node)) {
    return node.items.flatMap(({ key, value }) => {
      const name = isScalar(key) ? String(key.value) : '';
      return leavesOf(value, [...path, name], depth + 1, remove);
    });
  }
  if (isSeq(node)) {
    return node.items.flatMap((item) =>
      leavesOf(item, path, depth + 1, () => void node.items.splice(node.items.indexOf(item), 1)),
    );
  }
  if (!isScalar(node) || node.value === null) return [];
  const scalar: Scalar = node;
  return [
    {
      path,
      value: narrowed(scalar.value),
      remove,
      set: (value) => {
        scalar.value = value;
        delete scalar.type;
        delete scalar.source;
      },
    },
  ];
}

function narrowed(value: unknown): unknown {
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** As sops writes it, without the comments that are sealed, too. */
function yamlText(document: Document): string {
  return document
    .toString({ indent: 4, lineWidth: 0 })
    .split('\n')
    .filter((line) => !/^\s*#ENC\[/.test(line))
    .map((line) => line.replace(/ +#ENC\[AES256_GCM,[^\]]*,type:comment\]$/, ''))
    .join('\n');
}

/** JSON in the order of the file, indented by tabs, as sops writes it. */
function jsonOf(node: unknown, indent: string): string {
  const inner = `${indent}\t`;
  const block = (open: string, lines: readonly string[], close: string): string =>
    lines.length === 0 ? `${open}${close}` : `${open}\n${lines.join(',\n')}\n${indent}${close}`;
  if (isYamlMap(node)) {
    const lines = node.items.map(({ key, value }) => {
      const name = goJson(isScalar(key) ? String(key.value) : '');
      return `${inner}${name}: ${jsonOf(value, inner)}`;
    });
    return block('{', lines, '}');
  }
  if (isSeq(node))
    return block(
      '[',
      node.items.map((item) => `${inner}${jsonOf(item, inner)}`),
      ']',
    );
  const value = isScalar(node) ? node.value : null;
  return goJson(value);
}

/** `NAME=value` lines; `sops_…` are the metadata, flattened. */
function readDotenv(content: string): SopsFile {
  const lines = content.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const pairs = lines.map((line): [string, string] => {
    const at = line.indexOf('=');
    if (at <= 0) throw notSops();
    return [line.slice(0, at), line.slice(at + 1).replaceAll('\\n', '\n')];
  });
  const metadata = unflatten(pairs.filter(([name]) => name.startsWith('sops_')));
  if (metadata.mac === undefined) throw notSops();
  const values = new Map<string, unknown>(pairs.filter(([name]) => !name.startsWith('sops_')));
  return {
    metadata,
    leaves: [...values].map(([name, value]) => ({
      path: [name],
      value,
      set: (opened) => void values.set(name, opened),
      remove: () => void values.delete(name),
    })),
    data: () => Object.fromEntries(values),
    text: () =>
      [...values].map(([name, value]) => `${name}=${String(value).replaceAll('\n', '\\n')}\n`).join(''),
  };
}

/** `sops_age__list_0__map_enc=…` as `{age: [{enc: …}]}`. */
function unflatten(pairs: readonly (readonly [string, string])[]): Record<string, unknown> {
  const root = new Map<string, unknown>();
  const lists = new Map<string, Map<number, Record<string, string>>>();
  for (const [name, value] of pairs) {
    const [, list, index, field] = /^sops_(\w+?)__list_(\d{1,3})__map_(\w+)$/.exec(name) ?? [];
    if (list === undefined || field === undefined) {
      root.set(name.slice('sops_'.length), value);
      continue;
    }
    const entries = lists.get(list) ?? new Map<number, Record<string, string>>();
    lists.set(list, entries);
    entries.set(Number(index), { ...entries.get(Number(index)), [field]: value });
  }
  for (const [name, entries] of lists) root.set(name, [...entries.values()]);
  return Object.fromEntries(root);
}

function notSops(): IngotError {
  return new IngotError('secrets/bad-document', 'this is no file that sops has encrypted', {
    hint: 'Encrypt it with sops, and say what it is with ?format=yaml, json, dotenv or binary.',
  });
}
