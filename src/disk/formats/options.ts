import type { AttributeSpec, BodySpec } from '../../core/body-spec.ts';
import { IngotError } from '../../core/error.ts';

/**
 * Refuses options that the format's spec would not decode to; plans come from files too, not only from our own
 * parser. Throws `output/bad-option`.
 */
export function checkOptions(format: string, spec: BodySpec, options: unknown): void {
  const refuse = (message: string, hint: string) => {
    throw new IngotError('output/bad-option', `output "${format}": ${message}`, { hint });
  };
  const known = `It takes: ${Object.keys(spec.attributes).sort().join(', ') || 'no options'}.`;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    return refuse(`options are ${JSON.stringify(options)}, expected an object`, known);
  }
  for (const [name, value] of Object.entries(options)) {
    const attribute = Object.hasOwn(spec.attributes, name) ? spec.attributes[name] : undefined;
    if (!attribute) return refuse(`there is no option ${JSON.stringify(name)}`, known);
    const expected = mismatch(attribute, value);
    if (expected) return refuse(`${name} is ${JSON.stringify(value)}, expected ${expected}`, attribute.doc);
  }
  const problem = spec.check?.(options as never).find((p) => p.severity !== 'warning');
  if (problem) refuse(`${problem.path.join('.')}: ${problem.message}`, problem.hint ?? known);
}

/** What was expected, where `value` doesn't fit. */
function mismatch(attribute: AttributeSpec, value: unknown): string | undefined {
  if (value === undefined)
    return attribute.required || attribute.default !== undefined ? 'a value' : undefined;
  if (attribute.oneOf && !attribute.oneOf.includes(value)) return `one of ${attribute.oneOf.join(', ')}`;
  const { type } = attribute;
  if (attribute.format)
    return typeof value === 'number' && Number.isFinite(value) ? undefined : `a ${attribute.format}`;
  if (type === 'string') return typeof value === 'string' ? undefined : 'a string';
  if (type === 'number') return typeof value === 'number' && Number.isFinite(value) ? undefined : 'a number';
  if (type === 'bool') return typeof value === 'boolean' ? undefined : 'true or false';
  const values: unknown[] = Array.isArray(value) ? value : Object.values(value as object);
  if (typeof type === 'object' && 'map' in type && Array.isArray(value)) return 'a map of strings';
  if (typeof type === 'object' && 'list' in type && !Array.isArray(value)) return 'a list of strings';
  return values.every((v) => typeof v === 'string') ? undefined : 'strings in it';
}
