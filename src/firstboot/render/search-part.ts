import { type Diagnostic, startOf } from '../../core/diagnostic.ts';
import { findAssignments } from './assignments.ts';
import { embeddedFiles } from './embedded-files.ts';
import { packedTexts, textOf } from './packed-texts.ts';
import { ARCHIVE, CLOUD_CONFIG, JINJA, typeOf } from './part.ts';
import { readYaml, type YamlText } from './read-yaml.ts';
import { findSecretFields } from './secret-fields.ts';

/** What has the form of a secret, as lines for people. */
export type SearchSecrets = (name: string, content: Buffer) => readonly string[];

/** Deeper than anybody packs by hand. */
const DEEPEST = 5;
/** Characters between two texts of a document, mostly. */
const GAP = 16_384;
const EXPRESSION = /\{\{[^}]*\}\}/g;
const STATEMENT = /\{%[^%]*%\}|\{#[^#]*#\}/g;

/**
 * Every secret of a part of user-data: under keys that are made for one, given to a name of one in a script or a file, and
 * by its form; also in archives, behind jinja, in `write_files`, and in base64 or gzip within any of these.
 */
export function searchPart(name: string, text: string, search: SearchSecrets): Diagnostic[] {
  return new Search(name, search).all(text);
}

/** The same for a document of meta-data or network-config. */
export function searchMap(name: string, text: string, search: SearchSecrets): Diagnostic[] {
  return new Search(name, search).all(text, CLOUD_CONFIG);
}

/** The search of one file; what stands in several layers of it is told once. */
class Search {
  readonly #file: string;
  readonly #search: SearchSecrets;
  readonly #found = new Map<string, Diagnostic>();

  constructor(file: string, search: SearchSecrets) {
    this.#file = file;
    this.#search = search;
  }

  all(text: string, type?: string): Diagnostic[] {
    this.#text(this.#file, text, 0, type);
    return [...this.#found.values()];
  }

  #text(label: string, text: string, depth: number, type = typeOf(text)): void {
    if (depth > DEEPEST) return;
    this.#byForm(label, Buffer.from(text));
    if (type === JINJA) {
      const plain = withoutJinja(text);
      this.#text(label, plain, depth + 1, typeOf(plain.trimStart()));
      return;
    }
    const yaml = type === CLOUD_CONFIG || type === ARCHIVE ? readYaml(label, text, []) : undefined;
    if (type === ARCHIVE && Array.isArray(yaml?.value)) this.#archive(label, yaml.value, depth);
    else if (yaml && typeof yaml.value === 'object') this.#config(label, text, yaml, depth);
    else this.#plain(label, text, depth);
  }

  /** Each entry is a text, or a map with one as its `content`; what it does not say to be is a #cloud-config. */
  #archive(label: string, entries: readonly unknown[], depth: number): void {
    for (const [i, entry] of entries.entries()) {
      const { content, type } = (
        typeof entry === 'object' && entry !== null ? entry : { content: entry }
      ) as {
        content?: unknown;
        type?: unknown;
      };
      if (typeof content !== 'string') continue;
      const given = typeof type === 'string' && type !== '' ? type : undefined;
      this.#text(`${label}: entry ${i + 1}`, content, depth + 1, given ?? typeOf(content) ?? CLOUD_CONFIG);
    }
  }

  #config(label: string, text: string, yaml: YamlText, depth: number): void {
    for (const finding of findSecretFields(yaml))
      this.#tell(label === this.#file ? finding : { ...finding, range: startOf(this.#file) });
    const packed = embeddedFiles(yaml.value).filter((f) => !f.content?.equals(Buffer.from(f.source)));
    for (const { path, content } of packed)
      if (content) this.#bytes(`${label}: write_files ${path}`, content, depth + 1);
    const sources = new Set(packed.map(({ source }) => source));
    let at = 0;
    for (const [path, scalar] of textsIn(yaml.value, '')) {
      const next = text.slice(at, at + scalar.length + GAP).indexOf(scalar);
      if (next >= 0) at += next;
      // What stands there as it is was searched with the rest.
      else this.#byForm(`${label}: ${path}`, Buffer.from(scalar));
      if (!sources.has(scalar)) this.#plain(`${label}: ${path}`, scalar, depth);
    }
  }

  #bytes(label: string, content: Buffer, depth: number): void {
    const text = textOf(content);
    if (text === undefined) this.#byForm(label, content);
    else this.#text(label, text, depth);
  }

  /** A script, or a file of any kind. */
  #plain(label: string, text: string, depth: number): void {
    for (const { name, line } of findAssignments(text))
      this.#refuse(
        `${label}:${line}: ${name} is given a secret's value; user-data can be read by all on the instance`,
        'Keep it in a secret store and put ref+vault://…#/key into a template of first_boot. A variable or a command that gets the value on the machine passes.',
      );
    if (depth >= DEEPEST) return;
    for (const inner of packedTexts(text)) this.#text(`${label}: base64`, inner, depth + 1);
  }

  #byForm(label: string, content: Buffer): void {
    for (const message of this.#search(label, content))
      this.#refuse(
        message,
        'User-data can be read by all on the instance. Keep it in a secret store, and put ref+vault://…#/key into a template of first_boot.',
      );
  }

  #refuse(message: string, hint: string): void {
    this.#tell({ code: 'render/secret', severity: 'error', message, hint });
  }

  #tell(finding: Diagnostic): void {
    if (!this.#found.has(finding.message)) this.#found.set(finding.message, finding);
  }
}

/** A template without its first line and its statements; expressions are letters that lock an account. Lines stay lines. */
function withoutJinja(text: string): string {
  return text
    .replace(/^[^\n]*/, '')
    .replace(STATEMENT, (statement) => statement.replace(/[^\n]/g, ''))
    .replace(EXPRESSION, 'x');
}

/** Texts of a document, with their places. */
function* textsIn(value: unknown, path: string): Generator<[string, string]> {
  if (typeof value === 'string') yield [path, value];
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value))
      yield* textsIn(inner, path === '' ? key : `${path}.${key}`);
}
