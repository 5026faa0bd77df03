import type { Diagnostic } from '../../src/core/diagnostic.ts';
import {
  emptyScope,
  evaluate,
  type EvalScope,
  parseHclExpression,
  toJson,
  type Value,
} from '../../src/template/index.ts';
import { ELSEWHERE, standardFunctions } from '../../src/template/functions/index.ts';

/** The moment that functions of time see in tests. */
export const NOW = new Date('2024-02-29T13:04:05.678Z');

export function testScope(dir = '/nonexistent'): EvalScope {
  return { ...emptyScope(), functions: standardFunctions({ dir, now: NOW }), elsewhere: ELSEWHERE };
}

export interface Outcome {
  readonly value: Value;
  readonly errors: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Evaluates one expression and says what came of it. */
export function run(text: string, scope: EvalScope = testScope()): Outcome {
  const { expression, diagnostics } = parseHclExpression(text, 'test.hcl');
  const all = [...diagnostics];
  const value = expression ? evaluate(expression, scope, all) : (undefined as never);
  return { value, diagnostics: all, errors: all.map((d) => d.message) };
}

/** The value as plain data; fails on any error, so that a test shows it. */
export function value(text: string, scope?: EvalScope): unknown {
  const outcome = run(text, scope);
  if (outcome.errors.length > 0) throw new Error(`${text}: ${outcome.errors.join('; ')}`);
  return JSON.parse(JSON.stringify(toJson(outcome.value)));
}
