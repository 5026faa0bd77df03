import type { TemplateExpression, TemplatePart } from '../hcl/ast.ts';
import { joinMarks, type Marks, NO_MARKS } from '../value/marks.ts';
import { BOOL, STRING } from '../value/type.ts';
import { mark, string, unknown, type Value } from '../value/value.ts';
import { MAX_CHARACTERS } from '../value/limits.ts';
import { mayStep } from './budget.ts';
import { type Evaluation, evaluateIn, expectType } from './evaluate.ts';
import { knownElements, turn } from './for.ts';

/** Text in the making; `known` is lost with the first unknown part. */
interface Buffer {
  text: string[];
  known: boolean;
  length: number;
  marks: Marks;
}

/** A string with `${ }` and `%{ }`. One interpolation alone keeps its value's type. */
export function evaluateTemplate(expression: TemplateExpression, run: Evaluation): Value {
  const [first, ...others] = expression.parts;
  if (first?.kind === 'interpolation' && others.length === 0) return evaluateIn(first.expression, run);
  const buffer: Buffer = { text: [], known: true, length: 0, marks: NO_MARKS };
  append(expression.parts, buffer, run);
  return buffer.known
    ? mark(string(buffer.text.join('').normalize('NFC')), buffer.marks)
    : unknown(STRING, buffer.marks);
}

function append(parts: readonly TemplatePart[], buffer: Buffer, run: Evaluation): void {
  for (const part of parts) {
    if (part.kind === 'text') {
      push(buffer, part.text);
    } else if (part.kind === 'interpolation') {
      const value = evaluateIn(part.expression, run);
      add(buffer, expectType(value, STRING, 'the interpolated value', part.expression.range, run));
    } else if (part.kind === 'if') {
      const raw = evaluateIn(part.condition, run);
      const condition = expectType(raw, BOOL, 'the condition', part.condition.range, run);
      buffer.marks = joinMarks(buffer.marks, condition.marks);
      if (condition.data === undefined) buffer.known = false;
      else append(condition.data ? part.whenTrue : part.whenFalse, buffer, run);
    } else {
      const collection = evaluateIn(part.collection, run);
      buffer.marks = joinMarks(buffer.marks, collection.marks);
      const items = knownElements(collection, part.collection.range, run);
      if (!items) buffer.known = false;
      for (const [key, value] of items ?? []) {
        if (buffer.length > MAX_CHARACTERS || !mayStep(run, part.collection.range)) break;
        append(part.body, buffer, turn(run, part, key, value));
      }
    }
  }
}

/** What is longer than any value may be is cut: whoever asked will be told. */
function push(buffer: Buffer, text: string): void {
  if (buffer.length <= MAX_CHARACTERS) buffer.text.push(text);
  buffer.length += text.length;
}

function add(buffer: Buffer, value: Value): void {
  buffer.marks = joinMarks(buffer.marks, value.marks);
  if (typeof value.data === 'string') push(buffer, value.data);
  else buffer.known = false;
}
