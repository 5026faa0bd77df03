import { randomUUID } from 'node:crypto';
import { FunctionError } from '../functions/function.ts';
import { secretName, SERVICE_FUNCTIONS, type ServiceFunction } from '../functions/service-functions.ts';
import type { Services } from '../functions/services.ts';
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
  /** Present in the values of variables: services may be asked there only. */
  readonly services?: Services;
  /** Told the name of each secret that a service gave. */
  readonly onSecret?: (name: string) => void;
  /** Told when a service is not configured and its answer therefore unknown. */
  readonly onUnanswered?: () => void;
  /** Told when a function gives another value in every run. */
  readonly onVolatile: () => void;
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new GoFunctionError('a string is needed');
}

/** Functions that need to know nothing, so that strings filled while a build runs have them, too. */
export const TEXT_FUNCTIONS: ReadonlyMap<string, GoFunction> = new Map<string, GoFunction>([
  ['upper', (s) => text(s).toUpperCase()],
  ['lower', (s) => text(s).toLowerCase()],
  ['pwd', () => process.cwd()],
  ['packer_version', () => PACKER_VERSION],
  [
    'split',
    (s, separator, n) => text(s).split(text(separator))[Number(n)] ?? refuse(`there is no part ${Number(n)}`),
  ],
  ['replace', (from, to, n, s) => replace(text(from), text(to), Number(n), text(s))],
  ['replace_all', (from, to, s) => text(s).replaceAll(text(from), () => text(to))],
  ['clean_resource_name', (s) => text(s).replace(/[^A-Za-z0-9._-]/g, '-')],
]);

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
    ...TEXT_FUNCTIONS,
    ['user', (name) => context.user(text(name))],
    ['template_dir', () => context.root],
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
    ['env', (name) => readEnv(text(name), context.env)],
    ['sed', () => refuse('was removed from Packer: use replace or replace_all')],
    ...[...SERVICE_FUNCTIONS.keys()].map((name): [string, GoFunction] => [
      name,
      (...args) => askService(name, args.map(text), context),
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

function askService(name: string, args: readonly string[], context: LegacyContext): string {
  const { call, parameters, secret } = SERVICE_FUNCTIONS.get(name) as ServiceFunction;
  const { services } = context;
  if (!services) return refuse('can be used in the values of variables only');
  if (
    args.length === 0 ||
    args.length > parameters.length ||
    (args.length < parameters.length && name === 'vault')
  )
    return refuse(`takes ${parameters.join(' and ')}; got ${args.length} arguments`);
  let answer: string | undefined;
  try {
    answer = call(services, args);
  } catch (failure) {
    if (failure instanceof FunctionError) return refuse(failure.message);
    throw failure;
  }
  if (answer === undefined) context.onUnanswered?.();
  else if (secret) {
    services.onSecret(secretName(name, args), answer);
    context.onSecret?.(secretName(name, args));
  }
  return answer ?? '';
}

/** Go's strings.Replace: the first `count`, all for a negative one. */
function replace(from: string, to: string, count: number, value: string): string {
  const parts = value.split(from);
  if (count < 0 || count >= parts.length - 1) return parts.join(to);
  return [parts.slice(0, count + 1).join(to), ...parts.slice(count + 1)].join(from);
}
