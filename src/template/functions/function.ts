import { ConversionError, convert } from '../value/convert.ts';
import { joinMarks, NO_MARKS, VOLATILE } from '../value/marks.ts';
import { type Decimal, isInteger, NumberRangeError, numberToFloat, numberToText } from '../value/number.ts';
import { DYNAMIC, type Type } from '../value/type.ts';
import { deepMarks, isWhollyKnown, mark, unknown, type Value } from '../value/value.ts';

export interface Parameter {
  readonly name: string;
  readonly type: Type;
  /** null may be given. */
  readonly nullable?: boolean;
  /** The function looks at values that are not known (or not in all parts) itself. */
  readonly unknowns?: boolean;
}

export interface FunctionSpec {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /** Any number of further arguments. */
  readonly rest?: Parameter;
  readonly returns: Type;
  /** Its result is another in every run. */
  readonly volatile?: boolean;
  readonly call: (args: readonly Value[]) => Value;
}

/** A function refuses its arguments; `argument` counts from 0. */
export class FunctionError extends Error {
  readonly argument: number | undefined;

  constructor(message: string, argument?: number) {
    super(message);
    this.argument = argument;
  }
}

/** Calls a function: number, types and nulls of its arguments are checked, unknowns and marks go through. */
export function callFunction(spec: FunctionSpec, args: readonly Value[]): Value {
  const { parameters, rest } = spec;
  if (args.length < parameters.length || (!rest && args.length > parameters.length)) {
    throw new FunctionError(`it takes ${countText(spec)}, got ${args.length}`);
  }
  let marks = spec.volatile ? VOLATILE : NO_MARKS;
  let known = true;
  const converted = args.map((arg, i) => {
    const parameter = (parameters[i] ?? rest) as Parameter;
    marks = joinMarks(marks, deepMarks(arg));
    if (arg.data === null && !parameter.nullable)
      throw new FunctionError(`${parameter.name} must not be null`, i);
    let value: Value;
    try {
      value = convert(arg, parameter.type);
    } catch (error) {
      if (error instanceof ConversionError) throw new FunctionError(`${parameter.name}: ${error.text}`, i);
      throw error;
    }
    if (!parameter.unknowns && !isWhollyKnown(value)) known = false;
    return value;
  });
  if (!known) return unknown(spec.returns, marks);
  try {
    return mark(spec.call(converted), marks);
  } catch (error) {
    if (error instanceof ConversionError) throw new FunctionError(error.text);
    // A text longer than the engine's strings, or a list longer than its arrays.
    if (error instanceof RangeError) throw new FunctionError('the result is too large');
    if (error instanceof NumberRangeError) throw new FunctionError(error.message);
    throw error;
  }
}

function countText({ parameters, rest }: FunctionSpec): string {
  const names = [...parameters.map((p) => p.name), ...(rest ? [`${rest.name}...`] : [])].join(', ');
  const count = parameters.length;
  return `${rest ? 'at least ' : ''}${count} argument${count === 1 ? '' : 's'}${names === '' ? '' : ` (${names})`}`;
}

/** An argument that counts something: whole, or refused. */
export function wholeNumber(value: Value | undefined, argument: number): number {
  const decimal = value?.data as Decimal;
  if (isInteger(decimal)) return numberToFloat(decimal);
  throw new FunctionError(`expected a whole number; got ${numberToText(decimal)}`, argument);
}

/** Shorthand for a parameter. */
export function param(
  name: string,
  type: Type = DYNAMIC,
  extras: Omit<Parameter, 'name' | 'type'> = {},
): Parameter {
  return { name, type, ...extras };
}
