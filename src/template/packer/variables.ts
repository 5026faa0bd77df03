import { error } from '../diagnostics.ts';
import type { Diagnostic, SourceRange } from '../../core/diagnostic.ts';
import { evaluate } from '../eval/evaluate.ts';
import { type EvalScope, withVariables } from '../eval/scope.ts';
import type { Expression, HclAttribute, HclBlock, HclBody } from '../hcl/ast.ts';
import { references } from '../hcl/references.ts';
import { parseHclExpression } from '../hcl/parser.ts';
import { texts } from '../decode/plain.ts';
import { ConversionError, convert } from '../value/convert.ts';
import { sensitiveMark } from '../value/marks.ts';
import { BOOL, DYNAMIC, STRING, type Type } from '../value/type.ts';
import { mark, object, unknown, type Value } from '../value/value.ts';
import { checkLabels, checkName, readContent } from './content.ts';
import { parseType } from '../eval/type-expression.ts';

/** An input variable as declared. */
export interface VariableInfo {
  readonly name: string;
  readonly description?: string;
  readonly sensitive: boolean;
  /** Undefined where neither a type nor a default says it. */
  readonly type: Type | undefined;
  readonly default?: Value;
  readonly range: SourceRange;
  readonly validations: readonly Validation[];
}

interface Validation {
  readonly condition: Expression;
  readonly message: Expression;
}

const VARIABLE = {
  what: 'a variable block',
  attributes: ['type', 'default', 'description', 'sensitive'],
  blocks: { validation: 0 },
};

/** Reads `variable` and `variables` blocks of all files. `scope` has functions alone. */
export function readVariables(body: HclBody, scope: EvalScope, diagnostics: Diagnostic[]): VariableInfo[] {
  const found = new Map<string, VariableInfo>();
  const add = (info: VariableInfo): void => {
    const first = found.get(info.name);
    if (!first) {
      found.set(info.name, info);
      return;
    }
    const { file, start } = first.range;
    diagnostics.push(
      error(
        'template/duplicate',
        `the variable "${info.name}" was already declared in ${file}, line ${start.line}`,
        info.range,
        'Remove one of the two.',
      ),
    );
  };
  for (const block of body.blocks) {
    if (block.type === 'variable') {
      if (checkLabels(block, ['NAME'], diagnostics) && checkName(block, 0, diagnostics))
        add(readVariable(block, scope, diagnostics));
    } else if (block.type === 'variables') {
      if (!checkLabels(block, [], diagnostics)) continue;
      readContent(
        block.body,
        { what: 'a variables block', attributes: [...block.body.attributes.keys()], blocks: {} },
        diagnostics,
      );
      for (const [name, attribute] of block.body.attributes) {
        const value = evaluate(attribute.expression, scope, diagnostics);
        const type = value.type.kind === 'dynamic' ? undefined : value.type;
        add({ name, sensitive: false, type, default: value, range: attribute.nameRange, validations: [] });
      }
    }
  }
  return [...found.values()];
}

function readVariable(block: HclBlock, scope: EvalScope, diagnostics: Diagnostic[]): VariableInfo {
  const name = block.labels[0] as string;
  const { attributes, blocks } = readContent(block.body, VARIABLE, diagnostics);
  const typeAttribute = attributes.get('type');
  let type = typeAttribute && readType(typeAttribute, diagnostics);
  const defaultAttribute = attributes.get('default');
  let fallback = defaultAttribute && evaluate(defaultAttribute.expression, scope, diagnostics);
  if (fallback && type)
    fallback = convertTo(
      fallback,
      type,
      `the default of "${name}"`,
      (defaultAttribute as { expression: Expression }).expression.range,
      diagnostics,
    );
  else if (fallback && fallback.type.kind !== 'dynamic') type = fallback.type;
  const description = readConstant(block.body, 'description', STRING, scope, diagnostics);
  const sensitive = readConstant(block.body, 'sensitive', BOOL, scope, diagnostics);
  return {
    name,
    ...(typeof description === 'string' && { description }),
    sensitive: sensitive === true,
    type,
    ...(fallback && { default: fallback }),
    range: block.range,
    validations: blocks
      .filter((b) => b.type === 'validation')
      .flatMap((b) => readValidation(name, b, diagnostics)),
  };
}

/** A type constraint; in JSON it is written as a string. */
function readType(attribute: HclAttribute, diagnostics: Diagnostic[]): Type {
  const node = attribute.json?.node;
  if (node?.kind !== 'string') return parseType(attribute.expression, diagnostics);
  const parsed = parseHclExpression(node.value, node.range.file);
  const findings = [...parsed.diagnostics];
  const type = parsed.expression ? parseType(parsed.expression, findings) : DYNAMIC;
  diagnostics.push(...findings.map((d) => ({ ...d, range: node.range })));
  return type;
}

/** An attribute that is fixed when the template is read. */
export function readConstant(
  body: HclBody,
  name: string,
  type: Type,
  scope: EvalScope,
  diagnostics: Diagnostic[],
): Value['data'] {
  const attribute = body.attributes.get(name);
  if (!attribute) return undefined;
  const value = evaluate(attribute.expression, scope, diagnostics);
  return convertTo(value, type, name, attribute.expression.range, diagnostics).data;
}

function readValidation(name: string, block: HclBlock, diagnostics: Diagnostic[]): Validation[] {
  readContent(
    block.body,
    { what: 'a validation block', attributes: ['condition', 'error_message'], blocks: {} },
    diagnostics,
  );
  const condition = block.body.attributes.get('condition');
  const message = block.body.attributes.get('error_message');
  if (condition && message) {
    const { expression } = condition;
    if (
      !references(expression).some((r) => r.root === 'var' && (r.path.length === 0 || r.path[0] === name))
    ) {
      const text = `the condition must look at var.${name}: it decides which values the variable takes`;
      diagnostics.push(error('template/wrong-value', text, expression.range));
    }
    return [{ condition: expression, message: message.expression }];
  }
  const missing = condition ? 'error_message' : 'condition';
  diagnostics.push(
    error('template/missing-argument', `the argument "${missing}" is required and missing`, block.range),
  );
  return [];
}

/** `value` as `type`, or a report and an unknown one. */
export function convertTo(
  value: Value,
  type: Type,
  what: string,
  range: SourceRange,
  diagnostics: Diagnostic[],
): Value {
  try {
    return convert(value, type);
  } catch (thrown) {
    if (!(thrown instanceof ConversionError)) throw thrown;
    diagnostics.push(error('template/wrong-type', `${what}: ${thrown.text}`, range));
    return unknown(type);
  }
}

/** A value that was given to a variable, and where. */
export interface Assignment {
  readonly value: Value;
  readonly range?: SourceRange;
}

/**
 * The values of all variables: what was given, else the default. Checks types and validation rules; the texts of
 * sensitive ones go into `secrets`.
 */
export function assignVariables(
  variables: readonly VariableInfo[],
  given: ReadonlyMap<string, Assignment>,
  scope: EvalScope,
  secrets: Map<string, readonly string[]>,
  diagnostics: Diagnostic[],
): Value {
  const values = new Map<string, Value>();
  for (const info of variables) {
    let value = valueOf(info, given.get(info.name), diagnostics);
    if (info.sensitive) {
      value = mark(value, sensitiveMark(`var.${info.name}`));
      secrets.set(`var.${info.name}`, texts(value));
    }
    values.set(info.name, value);
    checkRules(info, value, given.get(info.name)?.range, scope, diagnostics);
  }
  return object(values);
}

function valueOf(info: VariableInfo, given: Assignment | undefined, diagnostics: Diagnostic[]): Value {
  if (!given && info.default) return info.default;
  const type = info.type ?? DYNAMIC;
  if (!given) {
    const hint = `Give it a default, or set it with -var ${info.name}=VALUE, PKR_VAR_${info.name} or a -var-file.`;
    diagnostics.push(
      error(
        'template/unset-variable',
        `the variable "${info.name}" has no default and was not set`,
        info.range,
        hint,
      ),
    );
    return unknown(type);
  }
  const marked = info.sensitive ? mark(given.value, sensitiveMark(`var.${info.name}`)) : given.value;
  return convertTo(marked, type, `the variable "${info.name}"`, given.range ?? info.range, diagnostics);
}

/** Packer's rule; scripts without capital letters have none to begin with. */
function isSentence(text: string): boolean {
  return !/^\p{Ll}/u.test(text.trim()) && /[.?!]$/.test(text.trim());
}

function checkRules(
  info: VariableInfo,
  value: Value,
  givenAt: SourceRange | undefined,
  scope: EvalScope,
  diagnostics: Diagnostic[],
): void {
  const inner = withVariables(scope, { var: object(new Map([[info.name, value]])) });
  for (const rule of info.validations) {
    const findings: Diagnostic[] = [];
    const condition = convertTo(
      evaluate(rule.condition, inner, findings),
      BOOL,
      'condition',
      rule.condition.range,
      findings,
    );
    const message = evaluate(rule.message, inner, findings);
    if (typeof message.data !== 'string' || message.data.trim() === '') {
      findings.push(error('template/wrong-type', 'error_message must be a text', rule.message.range));
    } else if (!isSentence(message.data)) {
      const text =
        'error_message must be a sentence: a capital letter first, a full stop or question mark last';
      findings.push(error('template/wrong-value', text, rule.message.range));
    } else if (condition.data === false || condition.data === null) {
      const range = givenAt ?? info.range;
      const rules = `The rule is in ${rule.condition.range.file}, line ${rule.condition.range.start.line}.`;
      findings.push(
        error(
          'template/invalid-variable',
          `invalid value for the variable "${info.name}": ${message.data}`,
          range,
          rules,
        ),
      );
    }
    diagnostics.push(...findings);
  }
}
