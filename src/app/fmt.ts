import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrors } from '../core/diagnostic.ts';
import { IngotError } from '../core/error.ts';
import { replaceFile } from '../core/replace-file.ts';
import { formatHcl, parseHcl } from '../template/index.ts';
import { throwDiagnostics } from './load.ts';
import { unifiedDiff } from './unified-diff.ts';

export interface FmtOptions {
  /** A file, or a folder of files. */
  readonly path: string;
  /** Folders in the folder, too. */
  readonly recursive?: boolean;
  /** Write what changed back to the files. */
  readonly write?: boolean;
}

export interface Formatted {
  readonly path: string;
  /** Unified diff from the file as it is to the canonical style. */
  readonly diff: string;
}

/** Files in HCL that are ours to format; legacy JSON templates are left alone, as Packer has it. */
const ENDINGS = ['.pkr.hcl', '.pkrvars.hcl', '.ingot.hcl'];

/** `ingot fmt`: the files that are not in the canonical style, sorted by path. */
export async function fmt(options: FmtOptions): Promise<Formatted[]> {
  const changed: Formatted[] = [];
  for (const path of await filesOf(options.path, options.recursive ?? false)) {
    const text = await readFile(path, 'utf8');
    const formatted = formatText(text, path);
    if (formatted === text) continue;
    changed.push({ path, diff: unifiedDiff(text, formatted, `old/${path}`, `new/${path}`) });
    if (options.write) await replace(path, formatted);
  }
  return changed;
}

/** One text in the canonical style. A text with syntax errors is not touched: its diagnostics are thrown. */
export function formatText(text: string, name: string): string {
  const { diagnostics } = parseHcl(text, name);
  if (hasErrors(diagnostics)) return throwDiagnostics({ diagnostics, sources: new Map([[name, text]]) });
  return formatHcl(text);
}

async function filesOf(path: string, recursive: boolean): Promise<string[]> {
  const stat = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    throw new IngotError('app/fmt-no-file', `${path} cannot be read: ${error.message}`, {
      hint: 'Name a file in HCL, or a folder that holds some.',
      cause: error,
    });
  });
  if (!stat.isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const below = join(path, entry.name);
    if (entry.isFile() && ENDINGS.some((ending) => entry.name.endsWith(ending))) found.push(below);
    if (recursive && entry.isDirectory()) found.push(...(await filesOf(below, true)));
  }
  return found;
}

/** Nobody reads half a template, and its mode stays. */
async function replace(path: string, text: string): Promise<void> {
  await replaceFile(path, text, { mode: (await lstat(path)).mode & 0o777 });
}
