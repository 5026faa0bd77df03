import { collectionFunctions } from './collections.ts';
import type { FunctionSpec } from './function.ts';
import { stringFunctions } from './strings.ts';

/** What functions may know of the world around the template. */
export interface FunctionContext {
  /** The template's folder: relative paths start here. */
  readonly dir: string;
  /** Present where the function env may be used: in defaults of variables. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Functions that exist only in some places, and the reason given elsewhere. */
export const ONLY_IN_DEFAULTS: ReadonlyMap<string, string> = new Map([
  ['env', 'env can be used in the default of a variable only: set a variable from it, and use that.'],
]);

/** All functions of the template language, by name; `try` and `can` are built into the evaluator. */
export function standardFunctions(context: FunctionContext): Map<string, FunctionSpec> {
  const all = [...stringFunctions, ...collectionFunctions];
  void context;
  return new Map(all.map((spec) => [spec.name, spec]));
}
