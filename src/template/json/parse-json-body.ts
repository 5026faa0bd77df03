import type { Diagnostic } from '../../core/diagnostic.ts';
import { error } from '../diagnostics.ts';
import type { Expression, HclAttribute, HclBody, ObjectItem } from '../hcl/ast.ts';
import { emptyBody } from '../hcl/body.ts';
import { parseHclTemplate } from '../hcl/parser.ts';
import { bool, NULL, number } from '../value/value.ts';
import type { JsonNode, StringReader } from './json-node.ts';
import { parseJson } from './parse-json.ts';

/**
 * Parses HCL's JSON syntax (hcl/json/spec.md). Every member is an attribute until a reader knows which of them are
 * blocks; see withJsonBlocks.
 */
export function parseJsonBody(text: string, file: string): { body: HclBody; diagnostics: Diagnostic[] } {
  const { node, diagnostics } = parseJson(text, file);
  if (!node) return { body: emptyBody(file), diagnostics };
  return { body: bodyOfNode(node, { text, diagnostics, templates: diagnostics }), diagnostics };
}

export interface JsonSource {
  readonly text: string;
  readonly diagnostics: Diagnostic[];
  /** Findings in strings; apart, since what turns out to be a block is read twice. */
  readonly templates: Diagnostic[];
  readonly strings?: StringReader;
}

/** A body from an object, or from a list of objects one after the other. */
export function bodyOfNode(node: JsonNode, source: JsonSource): HclBody {
  const attributes = new Map<string, HclAttribute>();
  const objects = node.kind === 'array' ? node.items : [node];
  for (const object of objects) {
    if (object.kind !== 'object') {
      source.diagnostics.push(
        error('template/syntax', `expected an object, got ${object.kind}`, object.range),
      );
      continue;
    }
    for (const { key, value } of object.members) {
      // The syntax has no comments: this key is where people put them.
      if (key.value === '//') continue;
      if (attributes.has(key.value)) {
        source.diagnostics.push(
          error(
            'template/duplicate',
            `the key ${JSON.stringify(key.value)} comes twice`,
            key.range,
            'Remove one of the two.',
          ),
        );
        continue;
      }
      attributes.set(key.value, {
        name: key.value,
        expression: expressionOf(value, source),
        text: source.text.slice(value.range.start.offset, value.range.end.offset),
        range: { ...key.range, end: value.range.end },
        nameRange: key.range,
        json: { node: value, source: source.text, ...(source.strings && { strings: source.strings }) },
      });
    }
  }
  return { attributes, blocks: [], range: node.range };
}

/** A value as an expression: strings are templates, keys of objects too. */
function expressionOf(node: JsonNode, source: JsonSource): Expression {
  const { range } = node;
  switch (node.kind) {
    case 'null':
      return { kind: 'literal', value: NULL, range };
    case 'bool':
      return { kind: 'literal', value: bool(node.value), range };
    case 'number':
      return { kind: 'literal', value: number(node.value), range };
    case 'string':
      return templateOf(node, source);
    case 'array':
      return { kind: 'tuple', items: node.items.map((item) => expressionOf(item, source)), range };
    case 'object': {
      const items = node.members
        .filter(({ key }) => key.value !== '//')
        .map(
          ({ key, value }): ObjectItem => ({
            key: templateOf(key, source),
            value: expressionOf(value, source),
          }),
        );
      return { kind: 'object', items, range };
    }
  }
}

function templateOf(node: JsonNode & { kind: 'string' }, source: JsonSource): Expression {
  if (source.strings) return source.strings(node);
  const { value, range, plain } = node;
  const text: Expression = {
    kind: 'template',
    parts: value === '' ? [] : [{ kind: 'text', text: value, range }],
    range,
  };
  if (!/[$%]\{/.test(value)) return text;
  const start = { offset: range.start.offset + 1, line: range.start.line, column: range.start.column + 1 };
  const { expression, diagnostics } = plain
    ? parseHclTemplate(source.text.slice(0, range.end.offset - 1), range.file, { start })
    : parseHclTemplate(value, range.file, { fixed: range });
  source.templates.push(...diagnostics);
  return expression ?? text;
}
