import { readFileSync } from 'node:fs';
import { ExitCode, IngotError } from '../../../core/error.ts';
import { GoTime, type GoValue, isMap, isList } from '../values.ts';
import { readYaml, valueOf, YamlError } from '../yaml-value.ts';

/**
 * `.Vars` of templates from a JSON or YAML file and a text of the same kind, whose keys win.
 * Throws `goss/bad-vars` (exit code 78).
 */
export function loadVariables(
  file: string | undefined,
  inline: string | undefined,
): Readonly<Record<string, unknown>> {
  return {
    ...(file === undefined ? {} : readVariables(readFile(file), file)),
    ...(inline === undefined ? {} : readVariables(inline, '--vars-inline')),
  };
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw refuse(`can't read the variables in ${file}`, error);
  }
}

function readVariables(text: string, from: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    try {
      const node = readYaml(text);
      value = node === undefined ? {} : plain(valueOf(node));
    } catch (error) {
      if (error instanceof YamlError)
        throw refuse(`${from}, line ${error.line}: neither JSON nor YAML: ${error.message}`, error);
      throw error;
    }
  }
  if (value === null) return {};
  if (value instanceof Map) return Object.fromEntries(value as Map<string, unknown>);
  if (typeof value !== 'object' || Array.isArray(value)) throw refuse(`${from} is no map of variables`);
  return { ...value };
}

function refuse(message: string, cause?: unknown): IngotError {
  return new IngotError('goss/bad-vars', message, {
    hint: 'Give a JSON or YAML map, such as {"port": 8080}.',
    exitCode: ExitCode.Config,
    ...(cause !== undefined && { cause }),
  });
}

/** Values as templates know them. */
function plain(value: GoValue): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof GoTime) return value.rfc3339;
  if (isList(value)) return value.map(plain);
  if (!isMap(value)) return value;
  // No key may reach the prototype of a record.
  return new Map([...value].map(([key, item]) => [key, plain(item)]));
}
