import type { Diagnostic } from '../../core/diagnostic.ts';
import { error } from '../diagnostics.ts';
import { evaluate } from '../eval/evaluate.ts';
import { emptyScope } from '../eval/scope.ts';
import type { Services } from '../functions/services.ts';
import { GoTemplateError } from '../gotemplate/ast.ts';
import { executeGoTemplate } from '../gotemplate/execute.ts';
import { GoFunctionError } from '../gotemplate/function-error.ts';
import { parseGoTemplate } from '../gotemplate/parse.ts';
import type { HclAttribute, HclBody } from '../hcl/ast.ts';
import type { AssignmentSources } from '../packer/assignments.ts';
import type { VariableInfo } from '../packer/variables.ts';
import { joinMarks, type Marks, NO_MARKS, sensitiveMark, VOLATILE } from '../value/marks.ts';
import { STRING } from '../value/type.ts';
import { ConversionError, convert } from '../value/convert.ts';
import { mark, object, string, unknown, type Value } from '../value/value.ts';
import { legacyFunctions } from './functions.ts';

export interface LegacyVariables {
  readonly infos: readonly VariableInfo[];
  readonly values: Value;
  readonly secrets: ReadonlyMap<string, readonly string[]>;
}

interface Context extends AssignmentSources {
  readonly now: Date;
  readonly root: string;
  readonly services: Services;
}

/** Reads `variables` and `sensitive-variables`: all are strings; null must be given a value by -var or a file. */
export function readLegacyVariables(
  declared: HclBody | undefined,
  sensitive: ReadonlySet<string>,
  context: Context,
  diagnostics: Diagnostic[],
): LegacyVariables {
  const attributes = declared?.attributes ?? new Map<string, HclAttribute>();
  const given = collect(context, diagnostics);
  const values = new Map<string, Value>();
  const open = new Set<string>();
  let marks: Marks = NO_MARKS;
  /** A service that is not configured was asked since the last look. */
  let unanswered = false;

  const valueOf = (name: string): Value => {
    const done = values.get(name);
    if (done) return done;
    const attribute = attributes.get(name);
    const undeclared = attribute ? undefined : given.get(name);
    if (undeclared !== undefined) return string(undeclared);
    if (!attribute) throw new GoFunctionError(`there is no variable ${JSON.stringify(name)}`);
    if (open.has(name)) throw new GoFunctionError(`the variable ${JSON.stringify(name)} needs itself`);
    open.add(name);
    const value = sensitive.has(name)
      ? mark(resolve(name, attribute), sensitiveMark(`var.${name}`))
      : resolve(name, attribute);
    open.delete(name);
    values.set(name, value);
    return value;
  };
  const functions = legacyFunctions({
    now: context.now,
    root: context.root,
    env: context.env,
    services: context.services,
    onUnanswered: () => {
      unanswered = true;
    },
    onSecret: (name) => {
      marks = joinMarks(marks, sensitiveMark(name));
    },
    user: (name) => {
      const value = valueOf(name);
      marks = joinMarks(marks, value.marks);
      if (value.data === undefined) unanswered = true;
      return typeof value.data === 'string' ? value.data : '';
    },
    onVolatile: () => {
      marks = joinMarks(marks, VOLATILE);
    },
  });
  const resolve = (name: string, attribute: HclAttribute): Value => {
    const text = given.get(name) ?? plainText(attribute, diagnostics);
    if (text === undefined) return unset(name, attribute, diagnostics);
    if (!text.includes('{{') || given.has(name)) return string(text);
    const before = marks;
    const outer = unanswered;
    marks = NO_MARKS;
    unanswered = false;
    try {
      const filled = executeGoTemplate(parseGoTemplate(text), {}, { functions });
      return unanswered ? unknown(STRING, marks) : mark(string(filled), marks);
    } catch (failure) {
      if (!(failure instanceof GoTemplateError)) throw failure;
      diagnostics.push(
        error(
          'template/go-template',
          `variable ${JSON.stringify(name)}: ${failure.message}`,
          attribute.expression.range,
        ),
      );
      return unknown(STRING);
    } finally {
      marks = joinMarks(before, marks);
      unanswered = outer;
    }
  };
  for (const name of attributes.keys()) valueOf(name);
  for (const [name, text] of given) if (!values.has(name)) values.set(name, string(text));
  const infos = [...attributes.values()].map((a) => infoOf(a, sensitive.has(a.name)));
  const secrets = [...sensitive].map((name): [string, string[]] => {
    const data = values.get(name)?.data;
    return [`var.${name}`, typeof data === 'string' && data !== '' ? [data] : []];
  });
  return { infos, values: object(values), secrets: new Map(secrets) };
}

function infoOf({ name, nameRange }: HclAttribute, sensitive: boolean): VariableInfo {
  return { name, sensitive, type: STRING, range: nameRange, validations: [] };
}

function unset(name: string, attribute: HclAttribute, diagnostics: Diagnostic[]): Value {
  const hint = `Set it with -var ${name}=VALUE or a -var-file.`;
  diagnostics.push(
    error(
      'template/unset-variable',
      `the variable "${name}" is null and was not set`,
      attribute.nameRange,
      hint,
    ),
  );
  return unknown(STRING);
}

/** The text of a default; undefined for null. */
function plainText(attribute: HclAttribute, diagnostics: Diagnostic[]): string | undefined {
  const node = attribute.json?.node;
  if (!node || node.kind === 'null') return undefined;
  if (node.kind === 'string') return node.value;
  diagnostics.push(
    error(
      'template/wrong-type',
      `the variable "${attribute.name}": expected string, got ${node.kind}`,
      node.range,
    ),
  );
  return '';
}

/** What -var-file and -var give. Packer takes names that the template does not declare, and `user` then finds them. */
function collect(context: Context, diagnostics: Diagnostic[]): Map<string, string> {
  const given = new Map<string, string>();
  for (const file of context.files) {
    for (const [name, attribute] of file.body.attributes) {
      const value = evaluate(attribute.expression, emptyScope(), diagnostics);
      const text = textOf(value);
      if (text === undefined)
        diagnostics.push(
          error('template/wrong-type', `the variable "${name}": expected string`, attribute.expression.range),
        );
      else given.set(name, text);
    }
  }
  for (const entry of context.vars) {
    const at = entry.indexOf('=');
    const name = entry.slice(0, Math.max(at, 0));
    if (at < 1) {
      diagnostics.push({
        code: 'template/variable-syntax',
        severity: 'error',
        message: `-var needs NAME=VALUE; got ${JSON.stringify(entry)}`,
      });
    } else given.set(name, entry.slice(at + 1));
  }
  return given;
}

function textOf(value: Value): string | undefined {
  if (value.data === null) return undefined;
  try {
    const { data } = convert(value, STRING);
    return typeof data === 'string' ? data : undefined;
  } catch (failure) {
    if (failure instanceof ConversionError) return undefined;
    throw failure;
  }
}
