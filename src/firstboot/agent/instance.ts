import { lstat, readFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { IngotError } from '../../core/error.ts';
import { PATHS } from '../paths.ts';
import type { AgentMachine } from './machine.ts';

/** What this instance was launched with. */
export interface Instance {
  /** What templates see. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** What reading references sees. */
  readonly env: Readonly<Record<string, string>>;
}

const MOST_BYTES = 1024 * 1024;

/**
 * Reads the launch-time data: variables of the image, above them those of the instance, and `.host` with what the machine
 * says of itself. Throws `firstboot/bad-instance` and `firstboot/unsafe-file`.
 */
export async function readInstance(machine: AgentMachine): Promise<Instance> {
  const { config } = machine;
  const own = readVariables(await readTrusted(PATHS.instance, machine));
  const variables: Record<string, unknown> = {
    ...(config.variables as Record<string, unknown>),
    ...own,
    host: { name: hostname(), address: firstAddress() },
  };
  // null is how JSON and YAML write that there is none.
  const missing = config.required.filter(
    (name) => !Object.hasOwn(variables, name) || (variables[name] ?? null) === null,
  );
  if (missing.length > 0) {
    throw new IngotError('firstboot/bad-instance', `${PATHS.instance} does not say ${missing.join(', ')}`, {
      hint: "Write it at launch, by cloud-init's write_files.",
    });
  }
  const lines = readLines(await readTrusted(PATHS.environment, machine));
  return { variables, env: { ...definedOf(machine.env), ...config.environment, ...lines } };
}

/** A file that only root may write: whoever can write it decides what goes where. Empty where it is not there. */
async function readTrusted(path: string, machine: AgentMachine): Promise<string> {
  const stat = await lstat(machine.place(path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!stat) return '';
  if (
    stat.isFile() &&
    stat.uid === process.getuid?.() &&
    (stat.mode & 0o022) === 0 &&
    stat.size <= MOST_BYTES
  )
    return await readFile(machine.place(path), 'utf8');
  throw new IngotError(
    'firstboot/unsafe-file',
    `${path} must be a file of at most 1 MiB that only root can write`,
    {
      hint: "Give it owner root:root and permissions '0600' in cloud-init's write_files.",
    },
  );
}

function readVariables(text: string): Record<string, unknown> {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    // What JSON.parse says shows a piece of the text.
    throw badInstance(PATHS.instance, 'it is no JSON', cause);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw badInstance(PATHS.instance, 'it is no object of names and values');
}

/** `NAME=value` lines, as systemd's EnvironmentFile= has them, without its escapes; quotes around a value go. */
function readLines(text: string): Record<string, string> {
  const entries = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line, i): [string, string] => {
      const [, name, value = ''] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line) ?? [];
      if (name === undefined) throw badInstance(PATHS.environment, `entry ${i + 1} is no NAME=value`);
      return [name, /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value];
    });
  return Object.fromEntries(entries);
}

function badInstance(path: string, problem: string, cause?: unknown): IngotError {
  return new IngotError('firstboot/bad-instance', `${path} can't be used: ${problem}`, {
    hint: "Correct what cloud-init's write_files has for it.",
    ...(cause !== undefined && { cause }),
  });
}

function definedOf(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((e): e is [string, string] => e[1] !== undefined));
}

/** The first IPv4 address that others can reach, by the order of the interfaces' names; empty where there is none. */
function firstAddress(): string {
  const all = Object.entries(networkInterfaces()).sort(([a], [b]) => (a < b ? -1 : 1));
  const found = all.flatMap(([, list]) => list ?? []).find((one) => one.family === 'IPv4' && !one.internal);
  return found?.address ?? '';
}
