import type { SourceRange } from '../../core/diagnostic.ts';
import type { Expression, TemplatePart } from '../hcl/ast.ts';
import { type GoNode, type GoTemplate, type Operand, type Pipeline } from '../gotemplate/ast.ts';
import { executeGoTemplate, type GoFunction } from '../gotemplate/execute.ts';
import { parseGoTemplate } from '../gotemplate/parse.ts';
import { type Marks, NO_MARKS } from '../value/marks.ts';
import { mark, string } from '../value/value.ts';

/** Functions that can be called now, and the marks of what they gave since the last question. */
export interface LoadTimeFunctions {
  readonly functions: ReadonlyMap<string, GoFunction>;
  readonly takeMarks: () => Marks;
  /** Whether `user` of this name is an empty text, since there is no such variable. */
  readonly isEmpty: (name: string) => boolean;
}

/**
 * A string of a legacy template as an expression. What can be answered now is; `user`, `build`, `build_name` and
 * `build_type` become references, so that marks and unknowns go their usual way; what needs data that only a plugin has
 * (`{{ .Vars }}`) stays as written, for the plugin. Throws GoTemplateError.
 */
export function goString(text: string, range: SourceRange, loadTime: LoadTimeFunctions): Expression {
  if (!text.includes('{{')) return template([{ kind: 'text', text, range }], range);
  const parsed = parseGoTemplate(text);
  const whole = parsed.defined.size > 0 || parsed.nodes.some(declares);
  if (whole) {
    const waits = [...parsed.nodes, ...[...parsed.defined.values()].flat()].some(waitsForRun);
    return template([waits ? { kind: 'text', text, range } : fill(parsed, range, loadTime)], range);
  }
  return template(
    parsed.nodes.map((node) => partOf(node, range, loadTime)),
    range,
  );
}

/** One value alone must stay a string: `{{user `n`}}` of a number is text. */
function template(parts: readonly TemplatePart[], range: SourceRange): Expression {
  const [first] = parts;
  const padded: TemplatePart[] =
    parts.length === 1 && first?.kind === 'interpolation'
      ? [...parts, { kind: 'text', text: '', range }]
      : [...parts];
  return { kind: 'template', parts: padded, range };
}

function partOf(node: GoNode, range: SourceRange, loadTime: LoadTimeFunctions): TemplatePart {
  if (node.kind === 'text') return { kind: 'text', text: node.text, range };
  const reference = node.kind === 'action' ? referenceOf(node.pipeline, range, loadTime) : undefined;
  if (reference) return { kind: 'interpolation', expression: reference, range };
  if (waitsForRun(node)) return { kind: 'text', text: node.source, range };
  return fill({ nodes: [node], defined: new Map() }, range, loadTime);
}

function fill(parsed: GoTemplate, range: SourceRange, loadTime: LoadTimeFunctions): TemplatePart {
  loadTime.takeMarks();
  const text = executeGoTemplate(parsed, {}, { functions: loadTime.functions });
  const marks = loadTime.takeMarks();
  if (marks === NO_MARKS) return { kind: 'text', text, range };
  return {
    kind: 'interpolation',
    expression: { kind: 'literal', value: mark(string(text), marks), range },
    range,
  };
}

/** `{{ user "x" }}` as var.x, `{{ build "ID" }}` as build.ID, `{{ build_name }}` as source.name. */
function referenceOf(
  pipeline: Pipeline,
  range: SourceRange,
  { isEmpty }: LoadTimeFunctions,
): Expression | undefined {
  const [command, ...others] = pipeline.commands;
  const [first, argument, ...more] = command?.operands ?? [];
  if (others.length > 0 || more.length > 0 || first?.kind !== 'function') return undefined;
  const access = (root: string, name: string): Expression => ({
    kind: 'access',
    base: { kind: 'variable', name: root, range },
    steps: [{ kind: 'attribute', name, range }],
    range,
  });
  if (first.name === 'build_name' && !argument) return access('source', 'name');
  if (first.name === 'build_type' && !argument) return access('source', 'type');
  if (argument?.kind !== 'literal' || typeof argument.value !== 'string') return undefined;
  if (first.name === 'user') return isEmpty(argument.value) ? undefined : access('var', argument.value);
  return first.name === 'build' ? access('build', argument.value) : undefined;
}

function declares(node: GoNode): boolean {
  return node.kind === 'action' && node.pipeline.declare.length > 0;
}

/** Whether a node uses the plugin's data or what only a running build knows. */
function waitsForRun(node: GoNode): boolean {
  if (!('pipeline' in node)) return false;
  if (node.pipeline?.commands.some((c) => c.operands.some(operandWaits))) return true;
  return 'body' in node && [...node.body, ...node.otherwise].some(waitsForRun);
}

function operandWaits(operand: Operand): boolean {
  if (operand.kind === 'field' || operand.kind === 'dot') return true;
  if (operand.kind === 'pipeline')
    return operand.pipeline.commands.some((c) => c.operands.some(operandWaits));
  return operand.kind === 'function' && ['build', 'build_name', 'build_type'].includes(operand.name);
}
