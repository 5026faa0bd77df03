import { formatVerbs } from '../functions/format-verbs.ts';
import { FunctionError } from '../functions/function.ts';
import type { Json } from '../../core/digest.ts';
import { valueFromJson } from '../value/json.ts';
import { show } from './builtins.ts';
import { GoFunctionError } from './function-error.ts';

/** `printf`: Go's verbs, as HCL's `format` has them. */
export function printf(...args: readonly unknown[]): string {
  const [format, ...values] = args;
  if (typeof format !== 'string') throw new GoFunctionError('the format must be a string');
  try {
    return formatVerbs(
      format,
      values.map((value) => valueFromJson(simple(value) as Json)),
    );
  } catch (error) {
    if (error instanceof FunctionError) throw new GoFunctionError(error.message);
    throw error;
  }
}

/** What has parts is a text as %v prints it: HCL would write JSON. */
function simple(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? show(value) : (value ?? null);
}
