import { string, type Value } from '../value/value.ts';
import { STRING } from '../value/type.ts';
import { collectionFunctions } from './collections.ts';
import { cryptoFunctions } from './crypto.ts';
import { datetimeFunctions } from './datetime.ts';
import { encodingFunctions } from './encoding.ts';
import { filesystemFunctions } from './filesystem.ts';
import { formatFunctions } from './format.ts';
import { type FunctionSpec, param } from './function.ts';
import { networkFunctions } from './network.ts';
import { numberFunctions } from './numbers.ts';
import { regexpFunctions } from './regexp.ts';
import { serviceFunctions } from './service-functions.ts';
import { noServices, type Services } from './services.ts';
import { setFunctions } from './sets.ts';
import { stringFunctions } from './strings.ts';
import { templateFileFunction } from './template-file.ts';

/** What functions may know of the world around the template. */
export interface FunctionContext {
  /** The template's folder: relative paths start here. */
  readonly dir: string;
  /** One moment for the whole run. */
  readonly now: Date;
  /** Present where the function env may be used: in defaults of variables. */
  readonly env?: NodeJS.ProcessEnv;
  /** For functions that ask a service; without it none is configured. */
  readonly services?: Services;
}

/** Functions that can't be used (here), and why. */
export const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['env', 'env can be used in the default of a variable only: set a variable from it, and use that.'],
]);

/** All functions of the template language, by name; `try`, `can` and `convert` are built into the evaluator. */
export function standardFunctions({ dir, now, env, services }: FunctionContext): Map<string, FunctionSpec> {
  const functions = new Map<string, FunctionSpec>();
  const all = [
    ...stringFunctions,
    ...formatFunctions,
    ...collectionFunctions,
    ...setFunctions,
    ...numberFunctions,
    ...regexpFunctions,
    ...encodingFunctions,
    ...cryptoFunctions,
    ...networkFunctions,
    ...datetimeFunctions(now),
    ...filesystemFunctions(dir),
    templateFileFunction(dir, () => functions),
    ...serviceFunctions(services ?? noServices()),
    ...(env ? [envFunction(env)] : []),
  ];
  for (const spec of all) functions.set(spec.name, spec);
  return functions;
}

/** `env("NAME")`: a variable of the environment, empty where it is not set. */
function envFunction(env: NodeJS.ProcessEnv): FunctionSpec {
  const call = ([name]: readonly Value[]): Value => string(env[name?.data as string] ?? '');
  return { name: 'env', parameters: [param('key', STRING)], returns: STRING, call };
}
