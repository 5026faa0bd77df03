import type { Diagnostic, SourceRange } from '../../core/diagnostic.ts';
import type { ConditionalExpression, Expression, ObjectExpression } from '../hcl/ast.ts';
import { suggestion } from '../nearest.ts';
import { ConversionError, convert } from '../value/convert.ts';
import { joinMarks } from '../value/marks.ts';
import { BOOL, DYNAMIC, STRING, type Type, typeName } from '../value/type.ts';
import { unify } from '../value/unify.ts';
import { mark, object, tuple, UNKNOWN, unknown, type Value } from '../value/value.ts';
import { charge } from './budget.ts';
import { evaluateAccess } from './access.ts';
import { evaluateCall } from './call.ts';
import { evaluateFor } from './for.ts';
import { evaluateBinary, evaluateUnary } from './operators.ts';
import { type EvalScope, findVariable, innerScope, isNamespace, variableNames } from './scope.ts';
import { evaluateTemplate } from './template.ts';

/** One run of evaluation: findings are collected, and what failed is unknown from there on. */
export interface Evaluation {
  readonly scope: EvalScope;
  readonly diagnostics: Diagnostic[];
}

/**
 * The value of an expression (hclsyntax/spec.md, "Expressions"). Never throws: what can't be evaluated is reported in
 * `diagnostics` and comes back as unknown.
 */
export function evaluate(expression: Expression, scope: EvalScope, diagnostics: Diagnostic[]): Value {
  return evaluateIn(expression, { scope, diagnostics });
}

/** `evaluate`, with the run's state in one argument. */
export function evaluateIn(expression: Expression, run: Evaluation): Value {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'variable':
      return evaluateVariable(expression.name, expression.range, run);
    case 'parentheses':
      return evaluateIn(expression.inner, run);
    case 'template':
      return charge(evaluateTemplate(expression, run), expression, run);
    case 'access':
      return evaluateAccess(expression, run);
    case 'tuple':
      return charge(tuple(expression.items.map((item) => evaluateIn(item, run))), expression, run);
    case 'object':
      return charge(evaluateObject(expression, run), expression, run);
    case 'for':
      return charge(evaluateFor(expression, run), expression, run);
    case 'call':
      return charge(evaluateCall(expression, run), expression, run);
    case 'conditional':
      return evaluateConditional(expression, run);
    case 'binary':
      return evaluateBinary(expression, run);
    case 'unary':
      return evaluateUnary(expression, run);
    case 'bound':
      return evaluateIn(expression.inner, { ...run, scope: innerScope(run.scope, expression.variables) });
  }
}

/** Reports an error and answers unknown. */
export function fault(
  run: Evaluation,
  code: string,
  message: string,
  range: SourceRange,
  hint?: string,
): Value {
  run.diagnostics.push({ code, severity: 'error', message, range, ...(hint !== undefined && { hint }) });
  return UNKNOWN;
}

/** The value as `type`, or unknown and a report. null is refused. `what` names its place in the message. */
export function expectType(
  value: Value,
  type: Type,
  what: string,
  range: SourceRange,
  run: Evaluation,
): Value {
  if (value.data === null) {
    fault(run, 'template/null-value', `${what} is null; expected ${typeName(type)}`, range);
    return unknown(type);
  }
  try {
    return convert(value, type);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    fault(run, 'template/wrong-type', `${what}: ${error.text}`, range);
    return unknown(type);
  }
}

function evaluateVariable(name: string, range: SourceRange, run: Evaluation): Value {
  const found = findVariable(run.scope, name);
  if (found) return isNamespace(found) ? found.whole() : found;
  return unknownVariable(name, range, run);
}

/** Reports that there is no variable of this name. */
export function unknownVariable(name: string, range: SourceRange, run: Evaluation): Value {
  const names = variableNames(run.scope);
  const otherwise = `Text is written in double quotes: "${name}". Known here: ${names.sort().join(', ') || 'nothing'}.`;
  const hint = suggestion(name, names, otherwise);
  return fault(run, 'template/unknown-variable', `there is no variable "${name}" here`, range, hint);
}

function evaluateObject(expression: ObjectExpression, run: Evaluation): Value {
  const entries = new Map<string, Value>();
  let whole = true;
  let marks = UNKNOWN.marks;
  for (const item of expression.items) {
    const key = expectType(evaluateIn(item.key, run), STRING, 'the key', item.key.range, run);
    const value = evaluateIn(item.value, run);
    marks = joinMarks(marks, key.marks);
    if (typeof key.data === 'string') entries.set(key.data, value);
    else whole = false;
  }
  return whole ? mark(object(entries), marks) : unknown(DYNAMIC, marks);
}

function evaluateConditional(expression: ConditionalExpression, run: Evaluation): Value {
  const condition = expectType(
    evaluateIn(expression.condition, run),
    BOOL,
    'the condition',
    expression.condition.range,
    run,
  );
  // Only the side taken may fail: the other often guards against just that.
  const spare: Evaluation = { scope: run.scope, diagnostics: [] };
  const thenRun = condition.data === false ? spare : run;
  const elseRun = condition.data === true ? spare : run;
  const then = evaluateIn(expression.whenTrue, thenRun);
  const otherwise = evaluateIn(expression.whenFalse, elseRun);
  const type = resultType(then, otherwise);
  if (!type) {
    const message = `the two sides of the conditional have no type in common: ${typeName(then.type)} and ${typeName(otherwise.type)}`;
    return fault(run, 'template/wrong-type', message, expression.range);
  }
  if (condition.data === undefined) {
    return unknown(type, joinMarks(condition.marks, joinMarks(then.marks, otherwise.marks)));
  }
  const taken = condition.data === true ? then : otherwise;
  return mark(expectTypeOrNull(taken, type, expression.range, run), condition.marks);
}

/** null fits beside everything. */
function resultType(a: Value, b: Value): Type | undefined {
  if (a.data === null && a.type.kind === 'dynamic') return b.type;
  if (b.data === null && b.type.kind === 'dynamic') return a.type;
  return unify([a.type, b.type]);
}

function expectTypeOrNull(value: Value, type: Type, range: SourceRange, run: Evaluation): Value {
  if (value.data === null) return { ...value, type };
  return expectType(value, type, 'the result of the conditional', range, run);
}
