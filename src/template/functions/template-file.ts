import type { Diagnostic } from '../../core/diagnostic.ts';
import { evaluate } from '../eval/evaluate.ts';
import { emptyScope, type EvalScope } from '../eval/scope.ts';
import { parseHclTemplate } from '../hcl/parser.ts';
import { DYNAMIC, STRING } from '../value/type.ts';
import { entriesOf, type Value } from '../value/value.ts';
import { convert } from '../value/convert.ts';
import { decodeUtf8 } from './encoding.ts';
import { readTemplateFile } from './filesystem.ts';
import { FunctionError, type FunctionSpec, param } from './function.ts';

/** `templatefile(path, vars)`: a file's text with its `${ }` and `%{ }` filled from `vars` alone. */
export function templateFileFunction(
  dir: string,
  functions: () => ReadonlyMap<string, FunctionSpec>,
): FunctionSpec {
  return {
    name: 'templatefile',
    parameters: [param('path', STRING), param('vars', DYNAMIC)],
    returns: DYNAMIC,
    call: ([path, vars]) => {
      const name = path?.data as string;
      if (!(vars?.data instanceof Map)) throw new FunctionError('vars must be a map or object', 1);
      const text = decodeUtf8(readTemplateFile(name, dir), name);
      // A template that fills itself would never end.
      const inner = new Map([...functions()].filter(([key]) => key !== 'templatefile'));
      const scope: EvalScope = { ...emptyScope(), functions: inner, variables: entriesOf(vars) };
      const { expression, diagnostics } = parseHclTemplate(text, name);
      failOn(diagnostics);
      const findings: Diagnostic[] = [];
      const value = expression ? evaluate(expression, scope, findings) : (undefined as never);
      failOn(findings);
      return asText(value);
    },
  };
}

/** One interpolation alone keeps its type, as in quotes; texts stay texts. */
function asText(value: Value): Value {
  return value.type.kind === 'number' || value.type.kind === 'bool' ? convert(value, STRING) : value;
}

function failOn(diagnostics: readonly Diagnostic[]): void {
  const [first] = diagnostics;
  if (!first) return;
  const at = first.range ? `${first.range.file}:${first.range.start.line}:${first.range.start.column}: ` : '';
  throw new FunctionError(`${at}${first.message}`, 0);
}
