import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Diagnostic, type SourceRange, startOf } from '../../core/diagnostic.ts';
import { DiagnosticsError, ExitCode } from '../../core/error.ts';
import { globFiles } from './glob-files.ts';
import { type Include, parseGossFile } from './parse.ts';
import type { GossResource } from './resource.ts';
import { fillTemplate, TemplateError, type TemplateVariables } from './template/fill-template.ts';

/** How deep goss files may take in others, as in goss. */
const MAX_DEPTH = 50;
/** What templates read besides their variables. */
const OUTSIDE = /\{\{[^}]*(?:\.Env\b|\b(?:getEnv|readFile|env|expandenv|now|date)\b)/;
const MAX_BYTES = 16 * 1024 * 1024;

export interface GossFile {
  readonly resources: readonly GossResource[];
  /** Findings that stop nothing. */
  readonly diagnostics: readonly Diagnostic[];
  /** Texts after their templates, by file. */
  readonly sources: ReadonlyMap<string, string>;
  /** Every file that was read, the first first. */
  readonly files: readonly string[];
  /** A template asks for more than its variables: the environment, or another file. */
  readonly readsOutside: boolean;
}

export interface LoadOptions extends TemplateVariables {
  /** Text of the file, where it comes from elsewhere (standard input). */
  readonly text?: string;
}

/**
 * Reads a goss file and all that it takes in. A resource that comes twice counts as written last, with a warning.
 * Throws DiagnosticsError, which the command line ends with exit code 78.
 */
export function loadGossFile(file: string, options: LoadOptions): GossFile {
  const loader = new Loader(options);
  loader.read(file, 0, undefined, options.text);
  return loader.result(file);
}

class Loader {
  readonly #options: LoadOptions;
  readonly #resources = new Map<string, GossResource>();
  readonly #diagnostics: Diagnostic[] = [];
  readonly #sources = new Map<string, string>();
  #readsOutside = false;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  result(file: string): GossFile {
    if (this.#resources.size === 0 && !this.#hasErrors())
      this.#fail(
        'goss/no-tests',
        `${file} holds no tests`,
        startOf(file),
        'Add a resource, or remove the test.',
      );
    if (this.#hasErrors()) throw new DiagnosticsError(this.#diagnostics, ExitCode.Config, this.#sources);
    return {
      resources: [...this.#resources.values()],
      diagnostics: this.#diagnostics,
      sources: this.#sources,
      files: [...this.#sources.keys()],
      readsOutside: this.#readsOutside,
    };
  }

  #hasErrors(): boolean {
    return this.#diagnostics.some((d) => d.severity === 'error');
  }

  read(file: string, depth: number, from: SourceRange | undefined, given?: string): void {
    if (depth >= MAX_DEPTH) {
      this.#fail(
        'goss/too-deep',
        `goss files take in each other more than ${MAX_DEPTH} deep`,
        from ?? startOf(file),
        'Does one take in itself?',
      );
      return;
    }
    const text = this.#text(file, from, given);
    if (text === undefined) return;
    this.#sources.set(file, text);
    const parsed = parseGossFile(text, file);
    this.#diagnostics.push(...parsed.diagnostics);
    for (const resource of parsed.resources) this.#add(resource);
    for (const include of [...parsed.includes].sort((a, b) => (a.pattern < b.pattern ? -1 : 1)))
      this.#include(include, file, depth);
  }

  #add(resource: GossResource): void {
    const key = `${resource.type}\0${resource.key}`;
    const earlier = this.#resources.get(key);
    if (earlier) {
      this.#diagnostics.push({
        code: 'goss/duplicate',
        severity: 'warning',
        message: `${resource.type} ${JSON.stringify(resource.key)} comes in ${earlier.range.file} too; the one here counts`,
        range: resource.range,
      });
    }
    this.#resources.set(key, resource);
  }

  #include({ pattern, skip, range }: Include, file: string, depth: number): void {
    if (skip) return;
    const path = pattern.startsWith('/') ? pattern : join(dirname(file), pattern);
    const matches = globFiles(path);
    if (matches.length === 0)
      this.#fail('goss/no-file', `there is no goss file ${path}`, range, 'Mend the path, or remove it.');
    for (const match of matches) this.read(match, depth + 1, range);
  }

  /** The file's text with its template filled. */
  #text(file: string, from: SourceRange | undefined, given: string | undefined): string | undefined {
    let raw = given;
    if (raw === undefined) {
      try {
        if (statSync(file).size > MAX_BYTES) {
          this.#fail('goss/bad-value', `${file} is larger than ${MAX_BYTES} bytes`, from ?? startOf(file));
          return undefined;
        }
        raw = readFileSync(file, 'utf8');
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#fail('goss/no-file', `can't read the goss file ${file}: ${reason}`, from ?? startOf(file));
        return undefined;
      }
    }
    this.#readsOutside ||= OUTSIDE.test(raw);
    try {
      return fillTemplate(raw, this.#options);
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      this.#sources.set(file, raw);
      const start = { line: error.line, column: 1, offset: lineOffset(raw, error.line) };
      this.#fail('goss/bad-template', error.message, { file, start, end: start }, 'Mend the template there.');
      return undefined;
    }
  }

  #fail(code: string, message: string, range: SourceRange, hint?: string): void {
    this.#diagnostics.push({ code, severity: 'error', message, range, ...(hint !== undefined && { hint }) });
  }
}

function lineOffset(text: string, line: number): number {
  let at = 0;
  for (let i = 1; i < line && at !== -1; i++) at = text.indexOf('\n', at) + 1 || -1;
  return Math.max(at, 0);
}
