import { randomUUID } from 'node:crypto';
import type { GoFunction } from '../gotemplate/execute.ts';
import { GoFunctionError } from '../gotemplate/function-error.ts';
import { PACKER_VERSION } from '../packer/version.ts';
import { civilAt, formatRfc3339 } from '../time/civil.ts';
import { formatGoLayout } from '../time/go-layout.ts';
import { strftime } from '../time/strftime.ts';

/** What the functions of a legacy template know of the world. */
export interface LegacyContext {
  readonly now: Date;
  /** Answer of template_dir. */
  readonly root: string;
  /** Present where env may be used: in the values of variables. */
  readonly env?: NodeJS.ProcessEnv;
  /** The text of a user variable. */
  readonly user: (name: string) => string;
  /** Told when a function gives another value in every run. */
  readonly onVolatile: () => void;
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new GoFunctionError('a string is needed');
}

/** Functions of Packer's template engine that can be answered while planning; `build` waits for the run. */
export function legacyFunctions(context: LegacyContext): Map<string, GoFunction> {
  const now = civilAt(context.now.getTime());
  const changing =
    <A extends readonly unknown[]>(make: (...args: A) => unknown) =>
    (...args: A) => {
      context.onVolatile();
      return make(...args);
    };
  const functions: [string, GoFunction][] = [
    ['user', (name) => context.user(text(name))],
    ['upper', (s) => text(s).toUpperCase()],
    ['lower', (s) => text(s).toLowerCase()],
    ['pwd', () => process.cwd()],
    ['template_dir', () => context.root],
    ['packer_version', () => PACKER_VERSION],
    ['timestamp', changing(() => Math.floor(context.now.getTime() / 1000))],
    ['uuid', changing(() => randomUUID())],
    [
      'isotime',
      changing((layout?: unknown) =>
        layout === undefined ? formatRfc3339(now) : formatGoLayout(text(layout), now),
      ),
    ],
    [
      'strftime',
      changing(
        (format: unknown) => strftime(text(format), now) ?? refuse('the format has an unknown directive'),
      ),
    ],
    [
      'split',
      (s, separator, n) =>
        text(s).split(text(separator))[Number(n)] ?? refuse(`there is no part ${Number(n)}`),
    ],
    ['replace', (from, to, n, s) => replace(text(from), text(to), Number(n), text(s))],
    ['replace_all', (from, to, s) => text(s).replaceAll(text(from), () => text(to))],
    ['clean_resource_name', (s) => text(s).replace(/[^A-Za-z0-9._-]/g, '-')],
    ['env', (name) => readEnv(text(name), context.env)],
    ...['consul_key', 'vault', 'aws_secretsmanager'].map((name): [string, GoFunction] => [
      name,
      () => refuse('is not configured: give the value by a sensitive variable'),
    ]),
  ];
  return new Map(functions);
}

function refuse(message: string): never {
  throw new GoFunctionError(message);
}

function readEnv(name: string, env: NodeJS.ProcessEnv | undefined): string {
  if (!env) return refuse('can be used in the values of variables only');
  return env[name] ?? '';
}

/** Go's strings.Replace: the first `count`, all for a negative one. */
function replace(from: string, to: string, count: number, value: string): string {
  const parts = value.split(from);
  if (count < 0 || count >= parts.length - 1) return parts.join(to);
  return [parts.slice(0, count + 1).join(to), ...parts.slice(count + 1)].join(from);
}
