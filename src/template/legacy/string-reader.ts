import type { Diagnostic, SourceRange } from '../../core/diagnostic.ts';
import { error } from '../diagnostics.ts';
import { namespaceOf } from '../eval/scope.ts';
import { GoTemplateError } from '../gotemplate/ast.ts';
import type { Expression } from '../hcl/ast.ts';
import type { JsonNode, StringReader } from '../json/json-node.ts';
import { suggestion } from '../nearest.ts';
import { string } from '../value/value.ts';
import { goString } from './go-string.ts';
import type { LegacyOptions } from './load-legacy.ts';
import { stringFunctions } from './string-functions.ts';
import type { LegacyVariables } from './variables.ts';

/** A string as it is. */
export function literal(node: JsonNode & { kind: 'string' }): Expression {
  return { kind: 'literal', value: string(node.value), range: node.range };
}

/** Strings as Go templates. */
export function stringReader(
  options: Pick<LegacyOptions, 'now' | 'root'>,
  variables: LegacyVariables,
  diagnostics: Diagnostic[],
): StringReader {
  const declared = namespaceOf('variable', variables.values);
  const told = new Set<string>();
  const undeclared = new Set<string>();
  const loadTime = stringFunctions({ now: options.now, root: options.root }, declared, (name) =>
    undeclared.add(name),
  );
  const tellUndeclared = (range: SourceRange): void => {
    for (const name of undeclared) {
      if (told.has(name)) continue;
      told.add(name);
      diagnostics.push({
        code: 'template/unknown-variable',
        severity: 'warning',
        message: `there is no variable ${JSON.stringify(name)}; {{user}} of it is an empty text`,
        range,
        hint: suggestion(
          name,
          [...declared.names()],
          `Declare it in "variables", or give it with -var ${name}=VALUE.`,
        ),
      });
    }
    undeclared.clear();
  };
  return (node) => {
    try {
      const expression = goString(node.value, node.range, loadTime);
      tellUndeclared(node.range);
      return expression;
    } catch (failure) {
      if (!(failure instanceof GoTemplateError)) throw failure;
      const repeated = diagnostics.some((d) => d.range === node.range);
      if (!repeated) diagnostics.push(error('template/go-template', failure.message, node.range));
      return literal(node);
    }
  };
}
