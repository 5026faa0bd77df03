import { error } from '../diagnostics.ts';
import type { Diagnostic } from '../../core/diagnostic.ts';
import { evaluate } from '../eval/evaluate.ts';
import { emptyScope } from '../eval/scope.ts';
import type { HclBody } from '../hcl/ast.ts';
import { parseHclExpression } from '../hcl/parser.ts';
import { suggestion } from '../nearest.ts';
import { string, type Value } from '../value/value.ts';
import type { Assignment, VariableInfo } from './variables.ts';

/** Where values of variables come from, weakest first. */
export interface AssignmentSources {
  readonly env: NodeJS.ProcessEnv;
  /** `*.auto.pkrvars.*`, then -var-file in order; parsed. */
  readonly files: readonly { readonly name: string; readonly body: HclBody }[];
  /** `name=value` of -var. */
  readonly vars: readonly string[];
  readonly warnUndeclared: boolean;
}

/** Collects what was given to variables: PKR_VAR_x < files < -var, the later of one kind winning. */
export function collectAssignments(
  variables: readonly VariableInfo[],
  sources: AssignmentSources,
  texts: Map<string, string>,
  diagnostics: Diagnostic[],
): Map<string, Assignment> {
  const declared = new Map(variables.map((v) => [v.name, v]));
  const given = new Map<string, Assignment>();
  for (const [key, text] of Object.entries(sources.env)) {
    const info = key.startsWith('PKR_VAR_') ? declared.get(key.slice('PKR_VAR_'.length)) : undefined;
    if (info && text !== undefined)
      given.set(info.name, readText(info, text, `environment variable ${key}`, texts, diagnostics));
  }
  for (const file of sources.files)
    assignFromFile(file, declared, given, sources.warnUndeclared, diagnostics);
  for (const entry of sources.vars) {
    const at = entry.indexOf('=');
    const name = entry.slice(0, Math.max(at, 0)).trim();
    const info = declared.get(name);
    if (at < 1) {
      diagnostics.push({
        code: 'template/variable-syntax',
        severity: 'error',
        message: `-var needs NAME=VALUE; got ${JSON.stringify(entry)}`,
      });
    } else if (!info) {
      const hint = suggestion(name, declared.keys(), `Declare it: variable "${name}" {}`);
      diagnostics.push({
        code: 'template/undeclared-variable',
        severity: 'error',
        message: `-var sets the variable "${name}", which the template does not declare`,
        ...(hint && { hint }),
      });
    } else given.set(name, readText(info, entry.slice(at + 1), `-var ${name}`, texts, diagnostics));
  }
  return given;
}

function assignFromFile(
  file: { readonly name: string; readonly body: HclBody },
  declared: ReadonlyMap<string, VariableInfo>,
  given: Map<string, Assignment>,
  warn: boolean,
  diagnostics: Diagnostic[],
): void {
  for (const block of file.body.blocks) {
    const hint = `Write \`${block.type} = …\`; blocks belong into a *.pkr.hcl file.`;
    diagnostics.push(
      error(
        'template/unknown-block',
        'a file of variables holds NAME = VALUE lines only, and this is a block',
        block.range,
        hint,
      ),
    );
  }
  for (const [name, attribute] of file.body.attributes) {
    if (declared.has(name)) {
      const value = evaluate(attribute.expression, emptyScope(), diagnostics);
      given.set(name, { value, range: attribute.range });
    } else if (warn) {
      const hint = suggestion(name, declared.keys(), `Declare it: variable "${name}" {}`);
      diagnostics.push({
        code: 'template/undeclared-variable',
        severity: 'warning',
        message: `the variable "${name}" is set here, and the template does not declare it`,
        range: attribute.nameRange,
        ...(hint !== undefined && { hint }),
      });
    }
  }
}

/** A text from outside: as it is for strings, numbers and untyped variables, else an expression of HCL. */
function readText(
  info: VariableInfo,
  text: string,
  name: string,
  texts: Map<string, string>,
  diagnostics: Diagnostic[],
): Assignment {
  if (info.type === undefined || info.type.kind === 'string' || info.type.kind === 'number')
    return { value: string(text) };
  texts.set(name, info.sensitive ? '' : text);
  const parsed = parseHclExpression(text, name);
  diagnostics.push(...parsed.diagnostics);
  const value: Value = parsed.expression
    ? evaluate(parsed.expression, emptyScope(), diagnostics)
    : string(text);
  return { value, ...(parsed.expression && { range: parsed.expression.range }) };
}
