import { createHmac } from 'node:crypto';
import type { Diagnostic } from '../../core/diagnostic.ts';
import { canonicalJson, type Json } from '../../core/digest.ts';
import { evaluate } from '../eval/evaluate.ts';
import { type EvalScope, findVariable } from '../eval/scope.ts';
import type { Expression, HclAttribute } from '../hcl/ast.ts';
import { references } from '../hcl/references.ts';
import { record, toJson } from '../value/json.ts';
import { type Decimal, numberFromFloat, numberToFloat, equal, numberToText } from '../value/number.ts';
import { deepMarks, entriesOf, isWhollyKnown, itemsOf, type Value } from '../value/value.ts';

/**
 * A value as it enters digests: plain data, but a sensitive part is its variables' names plus an HMAC under the
 * machine's own key, so that no digest tells its content (DESIGN.md, section 5.2).
 */
export function hashForm(value: Value, key: Uint8Array | undefined): Json {
  const { data, marks } = value;
  if (marks.sensitive.size > 0) {
    const names = [...deepMarks(value).sensitive].sort();
    // Without a key nothing may be shared: all values of the variable look alike, and the digest stays silent.
    const hmac = key
      ? createHmac('sha256', key)
          .update(canonicalJson(toJson(value)))
          .digest('hex')
      : '';
    return { $sensitive: names, hmac };
  }
  if (data === undefined || data === null) return null;
  if (typeof data === 'string' || typeof data === 'boolean') return data;
  if (Array.isArray(data)) return itemsOf(value).map((item) => hashForm(item, key));
  if (data instanceof Map) return record([...entriesOf(value)].map(([name, v]) => [name, hashForm(v, key)]));
  const decimal = data as Decimal;
  const float = numberToFloat(decimal);
  const exact = Number.isFinite(float) && equal(numberFromFloat(float), decimal);
  return exact ? float : { $number: numberToText(decimal) };
}

/**
 * What stands for an attribute that is not known before the run: its text, and what is known of its parts. `used`: Go
 * templates in it.
 */
export function unknownForm(attribute: HclAttribute, scope: EvalScope, used: readonly Expression[]): Json {
  const parts: Record<string, Json> = record([]);
  for (const { root, path, expression } of [attribute.expression, ...used].flatMap(references)) {
    if (!findVariable(scope, root)) continue;
    const silent: Diagnostic[] = [];
    const value = evaluate(expression, scope, silent);
    if (silent.length === 0 && isWhollyKnown(value) && !value.marks.volatile) {
      parts[[root, ...path].join('.')] = hashForm(value, scope.hmacKey);
    }
  }
  return Object.keys(parts).length === 0
    ? { $unknown: attribute.text }
    : { $unknown: attribute.text, with: parts };
}
