import type { Diagnostic } from '../../core/diagnostic.ts';
import { evaluate } from './evaluate.ts';
import { emptyScope } from './scope.ts';
import type { CallExpression, Expression } from '../hcl/ast.ts';
import { suggestion } from '../nearest.ts';
import { BOOL, DYNAMIC, listOf, mapOf, NUMBER, setOf, STRING, type Type } from '../value/type.ts';
import type { Value } from '../value/value.ts';
import { error } from '../diagnostics.ts';

const PRIMITIVES = new Map<string, Type>([
  ['string', STRING],
  ['number', NUMBER],
  ['bool', BOOL],
  ['any', DYNAMIC],
]);

const KNOWN = ['string', 'number', 'bool', 'any', 'list', 'set', 'map', 'object', 'tuple'];

const EXAMPLES: Readonly<Record<string, string>> = {
  object: 'object({ name = string })',
  tuple: 'tuple([string, number])',
};

/** Reads a type constraint (`list(string)`, `object({ a = optional(string, "x") })`): hcl/ext/typeexpr. */
export function parseType(expression: Expression, diagnostics: Diagnostic[]): Type {
  if (expression.kind === 'variable') {
    const type = PRIMITIVES.get(expression.name);
    if (type) return type;
    if (KNOWN.includes(expression.name)) {
      const example = EXAMPLES[expression.name] ?? `${expression.name}(string)`;
      return invalid(
        `${expression.name} needs the types that it holds`,
        expression,
        diagnostics,
        `Write ${example}.`,
      );
    }
    return invalid(
      `there is no type "${expression.name}"`,
      expression,
      diagnostics,
      suggestion(expression.name, KNOWN),
    );
  }
  if (expression.kind === 'call') return parseConstructor(expression, diagnostics);
  // Terraform's and Packer's old way: type = "string".
  if (
    expression.kind === 'template' &&
    expression.parts.length === 1 &&
    expression.parts[0]?.kind === 'text'
  ) {
    const name = expression.parts[0].text;
    return invalid(
      `a type is written without quotes; got "${name}"`,
      expression,
      diagnostics,
      `Write type = ${name}.`,
    );
  }
  return invalid('expected a type', expression, diagnostics);
}

function parseConstructor(call: CallExpression, diagnostics: Diagnostic[]): Type {
  const [arg, ...others] = call.arguments;
  if (!arg || others.length > 0) return invalid(`${call.name} takes one argument here`, call, diagnostics);
  switch (call.name) {
    case 'list':
      return listOf(parseType(arg, diagnostics));
    case 'set':
      return setOf(parseType(arg, diagnostics));
    case 'map':
      return mapOf(parseType(arg, diagnostics));
    case 'tuple':
      if (arg.kind !== 'tuple')
        return invalid('tuple takes a list of types', arg, diagnostics, 'Write tuple([string, number]).');
      return { kind: 'tuple', elements: arg.items.map((item) => parseType(item, diagnostics)) };
    case 'object':
      return parseObject(arg, diagnostics);
    default:
      return invalid(`there is no type "${call.name}"`, call, diagnostics, suggestion(call.name, KNOWN));
  }
}

function parseObject(arg: Expression, diagnostics: Diagnostic[]): Type {
  if (arg.kind !== 'object')
    return invalid(
      'object takes attributes with their types',
      arg,
      diagnostics,
      'Write object({ name = string }).',
    );
  const attributes = new Map<string, Type>();
  const optional = new Map<string, Value | undefined>();
  for (const { key, value } of arg.items) {
    const name =
      key.kind === 'template' && key.parts[0]?.kind === 'text' && key.parts.length === 1
        ? key.parts[0].text
        : undefined;
    if (name === undefined) {
      invalid("an attribute's name must be plain", key, diagnostics);
      continue;
    }
    if (value.kind === 'call' && value.name === 'optional') {
      const [type, fallback] = value.arguments;
      if (!type || value.arguments.length > 2)
        invalid('optional takes a type and a default', value, diagnostics);
      else {
        attributes.set(name, parseType(type, diagnostics));
        optional.set(name, fallback && evaluate(fallback, emptyScope(), diagnostics));
      }
    } else attributes.set(name, parseType(value, diagnostics));
  }
  return { kind: 'object', attributes, ...(optional.size > 0 && { optional }) };
}

function invalid(message: string, at: Expression, diagnostics: Diagnostic[], hint?: string): Type {
  const fallback = `Types are ${KNOWN.join(', ')}; for example list(string).`;
  diagnostics.push(error('template/invalid-type', message, at.range, hint ?? fallback));
  return DYNAMIC;
}
