import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Diagnostic, startOf } from '../../core/diagnostic.ts';
import { asIngotError, IngotError } from '../../core/error.ts';

/** A template is written by hand; what is larger is no template. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Stands for a text that is no file, which the caller's `read` answers: `-` is legacy JSON, `-.pkr.hcl` HCL2. */
const NO_FILE = /^-(?:\.pkr\.hcl)?$/;

export type ReadFile = (path: string) => Promise<Uint8Array>;

/** Reads to the end, or just past the limit: what is said to be a file may be a device without end. */
async function readBounded(path: string): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let total = 0;
  for await (const part of createReadStream(path) as AsyncIterable<Buffer>) {
    parts.push(part);
    total += part.length;
    if (total > MAX_BYTES) break;
  }
  return Buffer.concat(parts);
}

export interface TemplateFile {
  /** Relative to the template's folder, or as given for files of variables. */
  readonly name: string;
  readonly text: string;
}

export interface TemplateFiles {
  /** The folder, absolute. */
  readonly dir: string;
  readonly templates: readonly TemplateFile[];
  /** `*.auto.pkrvars.hcl`, then `*.auto.pkrvars.json`, then those of -var-file. */
  readonly variables: readonly TemplateFile[];
}

/**
 * Reads what makes up a template: all `*.pkr.hcl` and `*.pkr.json` of a folder (not below it), or one file. Automatic
 * files of variables count for a folder only, as in Packer.
 */
export async function readTemplateFiles(
  path: string,
  varFiles: readonly string[],
  read: ReadFile = readBounded,
  diagnostics: Diagnostic[] = [],
): Promise<TemplateFiles> {
  if (NO_FILE.test(path)) return await readText(path, varFiles, read, diagnostics);
  const absolute = resolve(path);
  const isFolder = await isDirectory(absolute, path);
  const dir = isFolder ? absolute : dirname(absolute);
  const names = isFolder ? (await readdir(dir)).sort() : [];
  const ending = (end: string): string[] => names.filter((name) => name.endsWith(end));
  const templates = isFolder ? [...ending('.pkr.hcl'), ...ending('.pkr.json')] : [basename(absolute)];
  if (templates.length === 0) {
    diagnostics.push({
      code: 'template/no-files',
      severity: 'error',
      message: `${path} holds no *.pkr.hcl and no *.pkr.json file`,
      hint: 'Give the template file or the folder it is in; `ingot init` writes an example.',
    });
  }
  const auto = [...ending('.auto.pkrvars.hcl'), ...ending('.auto.pkrvars.json')];
  const load = (name: string, from: string): Promise<TemplateFile | undefined> =>
    loadText(name, from, read, diagnostics);
  const present = (files: readonly (TemplateFile | undefined)[]): TemplateFile[] =>
    files.filter((f) => f !== undefined);
  return {
    dir,
    templates: present(await Promise.all(templates.map((name) => load(name, join(dir, name))))),
    variables: present([
      ...(await Promise.all(auto.map((name) => load(name, join(dir, name))))),
      ...(await Promise.all(varFiles.map((name) => load(name, resolve(name))))),
    ]),
  };
}

/** One template from `read`, with the files of variables that were named. */
async function readText(
  name: string,
  varFiles: readonly string[],
  read: ReadFile,
  diagnostics: Diagnostic[],
): Promise<TemplateFiles> {
  const template = await loadText(name, name, read, diagnostics);
  const variables = await Promise.all(
    varFiles.map((file) => loadText(file, resolve(file), read, diagnostics)),
  );
  return {
    dir: resolve('.'),
    templates: template ? [template] : [],
    variables: variables.filter((file) => file !== undefined),
  };
}

async function isDirectory(absolute: string, path: string): Promise<boolean> {
  try {
    return (await stat(absolute)).isDirectory();
  } catch (error) {
    throw new IngotError('template/no-such-file', `there is no template at ${path}`, {
      hint: 'Give the path of a template file or of the folder it is in.',
      cause: error,
    });
  }
}

async function loadText(
  name: string,
  path: string,
  read: ReadFile,
  diagnostics: Diagnostic[],
): Promise<TemplateFile | undefined> {
  const refuse = (code: string, message: string, hint: string): undefined => {
    diagnostics.push({ code, severity: 'error', message, range: startOf(name), hint });
  };
  let bytes: Uint8Array;
  try {
    bytes = await read(path);
  } catch (error) {
    return refuse(
      'template/unreadable',
      `${name} can't be read: ${asIngotError(error).message}`,
      'Check the path and its permissions.',
    );
  }
  if (bytes.length > MAX_BYTES) {
    return refuse(
      'template/too-large',
      `${name} has more than ${MAX_BYTES} bytes; so large a file is not read`,
      'Is this really a template?',
    );
  }
  try {
    return { name, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return refuse('template/not-utf8', `${name} is not UTF-8 text`, 'Save the file as UTF-8.');
  }
}
