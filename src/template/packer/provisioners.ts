import { error } from '../diagnostics.ts';
import type { Diagnostic, SourceRange } from '../../core/diagnostic.ts';
import { parseDuration } from '../decode/formats.ts';
import { weaken } from '../decode/weaken.ts';
import { evaluate } from '../eval/evaluate.ts';
import type { EvalScope } from '../eval/scope.ts';
import type { HclAttribute, HclBlock, HclBody } from '../hcl/ast.ts';
import { mergeBodies, withoutAttributes } from '../hcl/body.ts';
import { type Decimal, isInteger, numberToFloat } from '../value/number.ts';
import { BOOL, listOf, NUMBER, STRING, typeName } from '../value/type.ts';
import { entriesOf, itemsOf, type Value } from '../value/value.ts';
import { checkLabels } from './content.ts';
import { convertTo, readConstant } from './variables.ts';

/** Options that every provisioner has (Packer's common configuration); none of them enters a step's digest. */
export interface ProvisionerMeta {
  readonly only?: readonly string[];
  readonly except?: readonly string[];
  readonly pauseBeforeMs?: number;
  readonly timeoutMs?: number;
  readonly maxRetries?: number;
  readonly continueOnError?: boolean;
}

export interface ProvisionerBlock {
  readonly type: string;
  readonly name?: string;
  /** Without the options that every provisioner has. */
  readonly body: HclBody;
  readonly meta: ProvisionerMeta;
  /** Bodies to lay over, by the source's name. */
  readonly overrides: ReadonlyMap<string, HclBody>;
  readonly range: SourceRange;
  /** The body for one source, its override laid over. */
  bodyFor(source: string): HclBody;
}

const META = [
  'name',
  'only',
  'except',
  'override',
  'pause_before',
  'timeout',
  'max_retries',
  'continue_on_error',
];

/** Reads a `provisioner` or `error-cleanup-provisioner` block. */
export function readProvisioner(
  block: HclBlock,
  scope: EvalScope,
  diagnostics: Diagnostic[],
): ProvisionerBlock | undefined {
  if (!checkLabels(block, ['TYPE'], diagnostics)) return undefined;
  const body = withoutAttributes(block.body, META);
  const overrides = readOverrides(block.body, scope, diagnostics);
  const name = readConstant(block.body, 'name', STRING, scope, diagnostics);
  return {
    type: block.labels[0] as string,
    ...(typeof name === 'string' && { name }),
    body,
    meta: readMeta(block.body, scope, diagnostics),
    overrides,
    range: block.range,
    bodyFor: (source) => {
      const override = overrides.get(source);
      return override ? mergeBodies([body, override]) : body;
    },
  };
}

function readMeta(body: HclBody, scope: EvalScope, diagnostics: Diagnostic[]): ProvisionerMeta {
  const only = readNames(body, 'only', scope, diagnostics);
  const except = readNames(body, 'except', scope, diagnostics);
  checkOnlyExcept(body, only, except, diagnostics);
  const pauseBeforeMs = readDuration(body, 'pause_before', scope, diagnostics);
  const timeoutMs = readDuration(body, 'timeout', scope, diagnostics);
  const maxRetries = readCount(body, 'max_retries', scope, diagnostics);
  const continueOnError = readConstant(body, 'continue_on_error', BOOL, scope, diagnostics);
  return {
    ...(only && { only }),
    ...(except && { except }),
    ...(pauseBeforeMs !== undefined && { pauseBeforeMs }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(maxRetries !== undefined && { maxRetries }),
    ...(typeof continueOnError === 'boolean' && { continueOnError }),
  };
}

/** `only` or `except`: names of sources. */
export function readNames(
  body: HclBody,
  name: string,
  scope: EvalScope,
  diagnostics: Diagnostic[],
): readonly string[] | undefined {
  const attribute = body.attributes.get(name);
  if (!attribute) return undefined;
  const { range } = attribute.expression;
  const written = evaluate(attribute.expression, scope, diagnostics);
  const bent = attribute.json?.strings ? weaken(written, { list: 'string' }) : written;
  const value = convertTo(bent, listOf(STRING), name, range, diagnostics);
  if (value.data === null) return undefined;
  const items = itemsOf(value);
  if (items.some((item) => item.data === null))
    diagnostics.push(error('template/null-value', `${name}: expected names, got null among them`, range));
  return items.flatMap((item) => (typeof item.data === 'string' ? [item.data] : []));
}

/** Packer takes one of the two: which of them should win can't be told. */
export function checkOnlyExcept(
  body: HclBody,
  only: readonly string[] | undefined,
  except: readonly string[] | undefined,
  diagnostics: Diagnostic[],
): void {
  const range = body.attributes.get('except')?.range;
  if (!only?.length || !except?.length || !range) return;
  diagnostics.push(error('template/only-except', 'only one of "only" and "except" may be given', range));
}

function readDuration(
  body: HclBody,
  name: string,
  scope: EvalScope,
  diagnostics: Diagnostic[],
): number | undefined {
  const text = readConstant(body, name, STRING, scope, diagnostics);
  if (typeof text !== 'string') return undefined;
  const milliseconds = parseDuration(text);
  if (milliseconds !== undefined && milliseconds >= 0) return milliseconds;
  const { range } = (body.attributes.get(name) as HclAttribute).expression;
  diagnostics.push(
    error(
      'template/wrong-format',
      `${name}: expected a duration with its unit; got "${text}"`,
      range,
      'Write "5s", "2m" or "1h30m".',
    ),
  );
  return undefined;
}

function readCount(
  body: HclBody,
  name: string,
  scope: EvalScope,
  diagnostics: Diagnostic[],
): number | undefined {
  const data = readConstant(body, name, NUMBER, scope, diagnostics);
  if (data === undefined || data === null) return undefined;
  const decimal = data as Decimal;
  if (isInteger(decimal) && decimal.digits >= 0n) return numberToFloat(decimal);
  const { range } = (body.attributes.get(name) as HclAttribute).expression;
  diagnostics.push(error('template/wrong-value', `${name}: expected a whole number from 0`, range));
  return undefined;
}

function readOverrides(body: HclBody, scope: EvalScope, diagnostics: Diagnostic[]): Map<string, HclBody> {
  const overrides = new Map<string, HclBody>();
  const attribute = body.attributes.get('override');
  if (!attribute) return overrides;
  const value = evaluate(attribute.expression, scope, diagnostics);
  if (value.data === undefined) return overrides;
  for (const [source, settings] of entriesOf(value)) {
    if (settings.type.kind === 'object' || settings.type.kind === 'map')
      overrides.set(source, bodyOf(settings, attribute));
    else overrides.delete(source);
  }
  if (overrides.size !== entriesOf(value).size || !(value.data instanceof Map)) {
    const hint = 'Write override = { SOURCE = { option = value } }.';
    diagnostics.push(
      error(
        'template/wrong-type',
        `override: expected an object of objects, got ${typeName(value.type)}`,
        attribute.expression.range,
        hint,
      ),
    );
  }
  return overrides;
}

/** An object value as a body. */
function bodyOf(settings: Value, attribute: HclAttribute): HclBody {
  const { range, nameRange, text } = attribute;
  const attributes = [...entriesOf(settings)].map(([name, value]): [string, HclAttribute] => {
    const expression = { kind: 'literal', value, range: attribute.expression.range } as const;
    return [name, { name, expression, text, range, nameRange }];
  });
  return { attributes: new Map(attributes), blocks: [], range };
}
