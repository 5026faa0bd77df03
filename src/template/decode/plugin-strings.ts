import type { Diagnostic, SourceRange } from '../../core/diagnostic.ts';
import { error } from '../diagnostics.ts';
import { evaluate } from '../eval/evaluate.ts';
import type { EvalScope } from '../eval/scope.ts';
import { GoTemplateError } from '../gotemplate/ast.ts';
import type { Expression } from '../hcl/ast.ts';
import { entriesOf, itemsOf, mark, UNKNOWN, type Value } from '../value/value.ts';

/**
 * Fills the Go templates in a plugin's option, as Packer does with every string of every plugin. What only the plugin
 * knows (`{{ .Vars }}`) stays as written. `read` is told each template as an expression.
 */
export function fillPluginStrings(
  value: Value,
  range: SourceRange,
  scope: EvalScope,
  diagnostics: Diagnostic[],
  read: (expression: Expression) => void,
): Value {
  const { pluginStrings } = scope;
  if (!pluginStrings) return value;
  const fill = (part: Value): Value => {
    const { data } = part;
    if (typeof data === 'string') return data.includes('{{') ? fillText(part, data) : part;
    if (Array.isArray(data)) return changed(part, itemsOf(part), itemsOf(part).map(fill));
    if (!(data instanceof Map)) return part;
    const entries = [...entriesOf(part)].map(([name, inner]) => [name, fill(inner)] as const);
    const same = entries.every(([name, inner]) => entriesOf(part).get(name) === inner);
    return same ? part : { ...part, data: new Map(entries) };
  };
  const fillText = (part: Value, text: string): Value => {
    try {
      const expression = pluginStrings(text, range);
      read(expression);
      return mark(evaluate(expression, scope, diagnostics), part.marks);
    } catch (failure) {
      if (!(failure instanceof GoTemplateError)) throw failure;
      const hint = 'Strings of plugins are Go templates, as in Packer: write {{`{{`}} for two braces.';
      diagnostics.push(error('template/go-template', failure.message, range, hint));
      return UNKNOWN;
    }
  };
  return fill(value);
}

function changed(part: Value, before: readonly Value[], after: readonly Value[]): Value {
  return after.every((item, i) => item === before[i]) ? part : { ...part, data: after };
}
