import type { SourceRange } from '../../core/diagnostic.ts';
import { children, UNKNOWN, type Value } from '../value/value.ts';
import { CHARACTERS, MAX_PARTS } from '../value/limits.ts';
import type { Expression } from '../hcl/ast.ts';
import { type Evaluation, fault } from './evaluate.ts';

/**
 * What a template may still make: a few lines that double a value again and again would fill any memory. Shared by
 * all expressions of one template.
 */
export interface Budget {
  left: number;
}

/** Parts of all values that one template makes. */
const ALL_PARTS = 4_000_000;

/** A turn of a loop takes as much time as making so many parts. */
const TURN = 4;

const TOO_MUCH = `the template makes more than ${ALL_PARTS} values`;
const HINT = 'Does something grow with each step?';

export function newBudget(): Budget {
  return { left: ALL_PARTS };
}

const counted = new WeakMap<Value, number>();

/** Parts in a value. Values share what they hold, so each is counted once and its number kept. */
function partsOf(value: Value): number {
  if (typeof value.data === 'string') return 1 + Math.floor(value.data.length / CHARACTERS);
  if (typeof value.data !== 'object' || value.data === null) return 1;
  const known = counted.get(value);
  if (known !== undefined) return known;
  let parts = 1;
  for (const child of children(value)) parts += partsOf(child);
  counted.set(value, parts);
  return parts;
}

/** Parts that were made now: the value itself and its own slots, not what those hold. */
function slotsOf({ data }: Value): number {
  if (typeof data === 'string') return 1 + Math.floor(data.length / CHARACTERS);
  if (Array.isArray(data)) return 1 + data.length;
  return data instanceof Map ? 1 + data.size : 1;
}

/** A value just made, or unknown and a report where it is too large or all of them together are. */
export function charge(value: Value, expression: Expression, run: Evaluation): Value {
  const { budget } = run.scope;
  if (budget.left <= 0) return UNKNOWN;
  const parts = partsOf(value);
  budget.left -= slotsOf(value);
  if (parts <= MAX_PARTS && budget.left > 0) return value;
  const message =
    parts > MAX_PARTS ? `this value has ${parts} parts; at most ${MAX_PARTS} are held` : TOO_MUCH;
  budget.left = Math.min(budget.left, 0);
  return fault(
    run,
    'template/out-of-range',
    message,
    expression.range,
    'Does something grow with each step?',
  );
}

/** Whether a loop may go on for one more turn; reports the turn that is one too many. */
export function mayStep(run: Evaluation, range: SourceRange): boolean {
  const { budget } = run.scope;
  if (budget.left <= 0) return false;
  budget.left -= TURN;
  if (budget.left > 0) return true;
  fault(run, 'template/out-of-range', TOO_MUCH, range, HINT);
  return false;
}
