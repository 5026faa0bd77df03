import type { CallExpression, Expression } from '../hcl/ast.ts';
import { callFunction, FunctionError } from '../functions/function.ts';
import { suggestion } from '../nearest.ts';
import { BOOL, typeName } from '../value/type.ts';
import { bool, itemsOf, mark, UNKNOWN, unknown, type Value } from '../value/value.ts';
import { parseType } from './type-expression.ts';
import { type Evaluation, evaluateIn, expectType, fault } from './evaluate.ts';

/** A function call. `try`, `can` and `convert` are here: they look at more than values. */
export function evaluateCall(expression: CallExpression, run: Evaluation): Value {
  if (expression.name === 'try') return evaluateTry(expression, run);
  if (expression.name === 'can') return evaluateCan(expression, run);
  if (expression.name === 'convert') return evaluateConvert(expression, run);
  const spec = run.scope.functions.get(expression.name);
  const before = run.diagnostics.length;
  const args = evaluateArguments(expression, run);
  if (!spec) return unknownFunction(expression, run);
  if (!args) return unknown(spec.returns);
  // An argument that failed is unknown now; what the function says about that would only confuse.
  if (run.diagnostics.length > before) return unknown(spec.returns);
  try {
    return callFunction(spec, args);
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error;
    const at =
      error.argument === undefined
        ? undefined
        : expression.arguments[Math.min(error.argument, expression.arguments.length - 1)];
    fault(
      run,
      'template/function-failed',
      `${expression.name}: ${error.message}`,
      at?.range ?? expression.range,
    );
    return unknown(spec.returns);
  }
}

function unknownFunction(expression: CallExpression, run: Evaluation): Value {
  const { name } = expression;
  const reason = run.scope.elsewhere.get(name);
  const message =
    reason === undefined ? `there is no function "${name}"` : `the function "${name}" can't be used here`;
  const hint = reason ?? suggestion(name, [...run.scope.functions.keys(), 'try', 'can', 'convert']);
  return fault(run, 'template/unknown-function', message, expression.nameRange, hint);
}

/** The arguments, a last one with `...` spread out; undefined where that one is not known. */
function evaluateArguments(expression: CallExpression, run: Evaluation): Value[] | undefined {
  const values = expression.arguments.map((arg) => evaluateIn(arg, run));
  if (!expression.expand) return values;
  const last = values.pop() as Value;
  if (last.data === undefined) return undefined;
  if (!Array.isArray(last.data)) {
    const range = (expression.arguments.at(-1) as Expression).range;
    fault(run, 'template/wrong-type', `"..." needs a list to spread, got ${typeName(last.type)}`, range);
    return undefined;
  }
  return [...values, ...itemsOf(last).map((item) => mark(item, last.marks))];
}

/** The first argument that evaluates without an error. */
function evaluateTry(expression: CallExpression, run: Evaluation): Value {
  const reasons: string[] = [];
  for (const arg of expression.arguments) {
    const attempt: Evaluation = { scope: run.scope, diagnostics: [] };
    const value = evaluateIn(arg, attempt);
    if (attempt.diagnostics.length === 0) return value;
    reasons.push(attempt.diagnostics[0]?.message ?? '');
  }
  const message =
    reasons.length === 0
      ? 'try: it takes at least 1 argument'
      : `try: every argument failed: ${reasons.join('; ')}`;
  return fault(run, 'template/function-failed', message, expression.range);
}

function evaluateCan(expression: CallExpression, run: Evaluation): Value {
  const [arg, ...others] = expression.arguments;
  if (!arg || others.length > 0) {
    return fault(
      run,
      'template/function-failed',
      `can: it takes 1 argument, got ${expression.arguments.length}`,
      expression.range,
    );
  }
  const attempt: Evaluation = { scope: run.scope, diagnostics: [] };
  const value = evaluateIn(arg, attempt);
  if (attempt.diagnostics.length > 0) return bool(false);
  return mark(value.data === undefined ? unknown(BOOL) : bool(true), value.marks);
}

/** `convert(value, type)`: the second argument is a type constraint. */
function evaluateConvert(expression: CallExpression, run: Evaluation): Value {
  const [arg, type, ...others] = expression.arguments;
  if (!arg || !type || others.length > 0) {
    const message = `convert: it takes 2 arguments (value, type), got ${expression.arguments.length}`;
    return fault(run, 'template/function-failed', message, expression.range);
  }
  const value = evaluateIn(arg, run);
  const before = run.diagnostics.length;
  const wanted = parseType(type, run.diagnostics);
  if (run.diagnostics.length > before) return UNKNOWN;
  return value.data === null
    ? { ...value, type: wanted }
    : expectType(value, wanted, 'convert', arg.range, run);
}
