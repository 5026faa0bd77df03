import type { AttributeSpec, ValueType } from '../../core/body-spec.ts';
import type { Diagnostic } from '../../core/diagnostic.ts';
import type { Json } from '../../core/digest.ts';
import { evaluate } from '../eval/evaluate.ts';
import type { EvalScope } from '../eval/scope.ts';
import type { Expression, HclAttribute } from '../hcl/ast.ts';
import { suggestion } from '../nearest.ts';
import { ConversionError, convert } from '../value/convert.ts';
import { type Decimal, isInteger, numberToText } from '../value/number.ts';
import { sensitiveMark } from '../value/marks.ts';
import { deepMarks, isWhollyKnown, itemsOf, mark, UNKNOWN, type Value } from '../value/value.ts';
import type { Gathering } from './decode-body.ts';
import { FORMATS } from './formats.ts';
import { hashForm, unknownForm } from './hash-form.ts';
import { sensitiveTexts, toPlain } from './plain.ts';
import { fillPluginStrings } from './plugin-strings.ts';
import { typeOfSpec } from './spec-type.ts';
import { weaken } from './weaken.ts';

interface DecodedAttribute {
  readonly option: unknown;
  readonly hashForm: Json | undefined;
}

/** One attribute as an option. null counts as not set, as everywhere in HCL. */
export function decodeAttribute(
  attribute: HclAttribute | undefined,
  spec: AttributeSpec,
  scope: EvalScope,
  path: readonly (string | number)[],
  gathering: Gathering,
): DecodedAttribute {
  if (!attribute) return fallback(spec);
  gathering.ranges.setExpression(path, attribute.expression);
  if (spec.deprecated !== undefined) {
    gathering.diagnostics.push({
      code: 'template/deprecated',
      severity: 'warning',
      message: `the argument "${attribute.name}" is deprecated`,
      range: attribute.nameRange,
      hint: spec.deprecated,
    });
  }
  const used: Expression[] = [];
  const value = fillPluginStrings(
    evaluateAs(attribute, spec, scope, path, gathering),
    attribute.expression.range,
    scope,
    gathering.diagnostics,
    (expression) => used.push(expression),
  );
  if (value.data === null) return spec.required ? refuseNull(attribute, gathering) : fallback(spec);
  const marks = deepMarks(value);
  if (marks.volatile) gathering.volatile = true;
  for (const text of sensitiveTexts(value)) gathering.secrets.add(text);
  for (const name of marks.sensitive)
    for (const text of scope.secrets.get(name) ?? []) gathering.secrets.add(text);
  if (!isWhollyKnown(value)) {
    gathering.unknown = true;
    return { option: undefined, hashForm: unknownForm(attribute, scope, used) };
  }
  const option = readFormat(toPlain(value), attribute, spec, gathering.diagnostics);
  checkOneOf(option, attribute, spec, marks.sensitive.size > 0, gathering.diagnostics);
  const plainHash =
    spec.format && marks.sensitive.size === 0 ? (option as Json) : hashForm(value, scope.hmacKey);
  return { option, hashForm: plainHash };
}

function fallback(spec: AttributeSpec): DecodedAttribute {
  return { option: spec.default, hashForm: spec.default as Json | undefined };
}

function refuseNull(attribute: HclAttribute, gathering: Gathering): DecodedAttribute {
  gathering.diagnostics.push({
    code: 'template/null-value',
    severity: 'error',
    message: `the argument "${attribute.name}" is required and must not be null`,
    range: attribute.expression.range,
  });
  return { option: undefined, hashForm: undefined };
}

function evaluateAs(
  attribute: HclAttribute,
  spec: AttributeSpec,
  scope: EvalScope,
  path: readonly (string | number)[],
  gathering: Gathering,
): Value {
  const value = evaluate(attribute.expression, scope, gathering.diagnostics);
  const bent = attribute.json?.strings ? weaken(value, spec.type) : value;
  const marked = spec.sensitive ? mark(bent, sensitiveMark(attribute.name)) : bent;
  try {
    const converted = convert(marked, typeOfSpec(spec.type));
    requireWhole(converted, spec.type);
    return converted;
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    gathering.diagnostics.push({
      code: 'template/wrong-type',
      severity: 'error',
      message: `${attribute.name}: ${error.text}`,
      range: gathering.ranges.at([...path, ...error.path]),
    });
    return UNKNOWN;
  }
}

/** All numbers that plugins take are counts, ports, levels and codes: Packer refuses others, too. */
function requireWhole(value: Value, type: ValueType, path: readonly number[] = []): void {
  if (value.data === undefined || value.data === null) return;
  if (typeof type === 'object' && 'list' in type) {
    for (const [i, item] of itemsOf(value).entries()) requireWhole(item, type.list, [...path, i]);
  } else if (type === 'number' && !isInteger(value.data as Decimal)) {
    throw new ConversionError(`expected a whole number, got ${numberToText(value.data as Decimal)}`, path);
  }
}

function readFormat(
  option: unknown,
  attribute: HclAttribute,
  spec: AttributeSpec,
  diagnostics: Diagnostic[],
): unknown {
  if (!spec.format || typeof option !== 'string') return option;
  const { parse, expected } = FORMATS[spec.format];
  const read = parse(option);
  if (read !== undefined) return read;
  diagnostics.push({
    code: 'template/wrong-format',
    severity: 'error',
    message: `${attribute.name}: expected ${expected}; got ${JSON.stringify(option)}`,
    range: attribute.expression.range,
  });
  return undefined;
}

function checkOneOf(
  option: unknown,
  attribute: HclAttribute,
  spec: AttributeSpec,
  secret: boolean,
  diagnostics: Diagnostic[],
): void {
  if (!spec.oneOf || option === undefined) return;
  const known = spec.oneOf.map(String);
  for (const one of Array.isArray(option) ? (option as unknown[]) : [option]) {
    if (spec.oneOf.includes(one)) continue;
    const shown = secret ? 'another value' : JSON.stringify(one);
    const hint = typeof one === 'string' ? suggestion(one, known) : undefined;
    diagnostics.push({
      code: 'template/wrong-value',
      severity: 'error',
      message: `${attribute.name}: expected one of ${known.join(', ')}; got ${shown}`,
      range: attribute.expression.range,
      ...(hint !== undefined && { hint }),
    });
  }
}
