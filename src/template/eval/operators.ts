import type { BinaryExpression, BinaryOperator, UnaryExpression } from '../hcl/ast.ts';
import { equals } from '../value/equality.ts';
import { joinMarks } from '../value/marks.ts';
import {
  add,
  compare,
  type Decimal,
  divide,
  multiply,
  negate,
  NumberRangeError,
  remainder,
  subtract,
} from '../value/number.ts';
import { BOOL, NUMBER, type Type } from '../value/type.ts';
import { bool, mark, number, unknown, type Value } from '../value/value.ts';
import { type Evaluation, evaluateIn, expectType, fault } from './evaluate.ts';

type Arithmetic = '+' | '-' | '*' | '/' | '%';
type Comparison = '<' | '>' | '<=' | '>=';

const ARITHMETIC: Readonly<Record<Arithmetic, (a: Decimal, b: Decimal) => Decimal>> = {
  '+': add,
  '-': subtract,
  '*': multiply,
  '/': divide,
  '%': remainder,
};

const COMPARISON: Readonly<Record<Comparison, (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '>': (order) => order > 0,
  '<=': (order) => order <= 0,
  '>=': (order) => order >= 0,
};

/** `a + b`, `a == b`, `a && b` … Both sides are always evaluated, as in HCL. */
export function evaluateBinary(expression: BinaryExpression, run: Evaluation): Value {
  const { operator } = expression;
  const left = evaluateIn(expression.left, run);
  const right = evaluateIn(expression.right, run);
  if (operator === '==' || operator === '!=') {
    const marks = joinMarks(left.marks, right.marks);
    const same = equals(left, right);
    return same === undefined ? unknown(BOOL, marks) : mark(bool(same === (operator === '==')), marks);
  }
  const operands: Type = operator === '&&' || operator === '||' ? BOOL : NUMBER;
  const a = expectType(left, operands, `the left side of ${operator}`, expression.left.range, run);
  const b = expectType(right, operands, `the right side of ${operator}`, expression.right.range, run);
  const marks = joinMarks(a.marks, b.marks);
  const result = known(operator, a, b, expression, run);
  return mark(result, marks);
}

function known(
  operator: BinaryOperator,
  a: Value,
  b: Value,
  expression: BinaryExpression,
  run: Evaluation,
): Value {
  if (operator === '&&' || operator === '||') {
    const decisive = operator === '||';
    if (a.data === decisive || b.data === decisive) return bool(decisive);
    return a.data === undefined || b.data === undefined ? unknown(BOOL) : bool(!decisive);
  }
  const isComparison = Object.hasOwn(COMPARISON, operator);
  if (a.data === undefined || b.data === undefined) return unknown(isComparison ? BOOL : NUMBER);
  const x = a.data as Decimal;
  const y = b.data as Decimal;
  if (isComparison) return bool(COMPARISON[operator as Comparison](compare(x, y)));
  if ((operator === '/' || operator === '%') && y.digits === 0n) {
    return fault(run, 'template/out-of-range', 'division by zero', expression.range);
  }
  try {
    return number(ARITHMETIC[operator as Arithmetic](x, y));
  } catch (error) {
    if (!(error instanceof NumberRangeError)) throw error;
    return fault(run, 'template/out-of-range', error.message, expression.range);
  }
}

/** `!a`, `-a` */
export function evaluateUnary(expression: UnaryExpression, run: Evaluation): Value {
  const type = expression.operator === '!' ? BOOL : NUMBER;
  const what = `the operand of ${expression.operator}`;
  const operand = expectType(evaluateIn(expression.operand, run), type, what, expression.operand.range, run);
  if (operand.data === undefined) return operand;
  const result =
    expression.operator === '!' ? bool(operand.data !== true) : number(negate(operand.data as Decimal));
  return mark(result, operand.marks);
}
