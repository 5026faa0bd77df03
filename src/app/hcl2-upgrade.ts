import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasErrors } from '../core/diagnostic.ts';
import type { Json } from '../core/digest.ts';
import { DiagnosticsError, ExitCode, IngotError } from '../core/error.ts';
import { bundledSource } from '../plan/official-plugins.ts';
import { parseJson } from '../template/index.ts';
import { type Upgraded, upgradeLegacy } from '../template/upgrade/upgrade.ts';

export interface Hcl2UpgradeOptions {
  /** Legacy JSON template; `-`: the text that `stdin` answers. */
  readonly path: string;
  readonly stdin: () => Promise<string>;
  /** File to write; `-`: none. Default: the template's name with `.pkr.hcl` behind it. */
  readonly outputFile?: string;
  readonly withAnnotations: boolean;
}

export interface Hcl2Upgrade extends Upgraded {
  /** What was written. */
  readonly file: string | undefined;
}

/** `ingot hcl2_upgrade`: a legacy JSON template as HCL2. */
export async function hcl2Upgrade(options: Hcl2UpgradeOptions): Promise<Hcl2Upgrade> {
  const template = await readLegacy(options.path, options.stdin);
  const upgraded = upgradeLegacy(template, {
    withAnnotations: options.withAnnotations,
    pluginSource: bundledSource,
  });
  const file = options.outputFile ?? (options.path === '-' ? '-' : `${options.path}.pkr.hcl`);
  if (file === '-') return { ...upgraded, file: undefined };
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, upgraded.text);
  return { ...upgraded, file };
}

/** A legacy template as plain data. Throws all that is wrong with its syntax. */
export async function readLegacy(
  path: string,
  stdin: () => Promise<string>,
): Promise<Readonly<Record<string, Json>>> {
  // Editors of Windows put a byte order mark there.
  const text = (path === '-' ? await stdin() : await readText(path)).replace(/^\uFEFF/, '');
  if (path.endsWith('.hcl')) throw noTemplate(path);
  const { diagnostics } = parseJson(text, path);
  if (hasErrors(diagnostics))
    throw new DiagnosticsError(diagnostics, ExitCode.Failed, new Map([[path, text]]));
  const data = JSON.parse(text) as Json;
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw noTemplate(path);
  return data as Readonly<Record<string, Json>>;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'EISDIR') throw cause;
    throw new IngotError('template/no-such-file', `there is no template at ${path}`, {
      hint:
        code === 'EISDIR'
          ? 'It is a folder; name the JSON file.'
          : 'Give the path of a legacy JSON template.',
      cause,
    });
  }
}

function noTemplate(path: string): IngotError {
  return new IngotError('template/wrong-type', `${path} is no legacy template: expected an object in JSON`, {
    hint: 'Legacy templates begin with { "builders": … }; what is HCL2 already stays as it is.',
  });
}
