import { dirname } from 'node:path';
import { type Diagnostic, hasErrors, startOf } from '../../core/diagnostic.ts';
import type { Json } from '../../core/digest.ts';
import { ELSEWHERE, standardFunctions } from '../../template/functions/index.ts';
import { references } from '../../template/hcl/references.ts';
import { parseHclTemplate } from '../../template/hcl/parser.ts';
import { emptyScope, evaluate, valueFromJson } from '../../template/index.ts';
import { sensitiveMark } from '../../template/value/marks.ts';
import { mark, object, tuple, type Value } from '../../template/value/value.ts';
import { ConversionError, convert } from '../../template/value/convert.ts';
import { STRING } from '../../template/value/type.ts';
import { secretsAmong, secretValue } from './secret-fields.ts';

/** Endings by which Terraform and Packer know a file of `templatefile`. */
const ENDING = /\.(?:tftpl|pkrtpl\.hcl|pkrtpl)$/;

/** A file's name without the ending that makes it a template, and whether it had one. */
export function templateName(name: string): { readonly name: string; readonly isTemplate: boolean } {
  return { name: name.replace(ENDING, ''), isTemplate: ENDING.test(name) };
}

/**
 * Fills `${ }` and `%{ }` of a template from `values` alone. Nothing is asked: functions that read services or the clock
 * are refused, and a secret's reference stays one. A value that is a secret by its name is refused with all that functions
 * made of it. The names that it uses go into `taken`.
 */
export function fillTemplate(
  text: string,
  file: string,
  values: Readonly<Record<string, Json>>,
  { found, taken }: { readonly found: Diagnostic[]; readonly taken: Set<string> },
): string | undefined {
  const { expression, diagnostics } = parseHclTemplate(text, file);
  found.push(...diagnostics);
  if (!expression) return undefined;
  for (const { root } of references(expression)) taken.add(root);
  const secrets = new Set(secretsAmong(values).map(({ path }) => path));
  const variables = new Map(Object.entries(values).map(([key, value]) => [key, marked(value, key, secrets)]));
  const functions = standardFunctions({ dir: dirname(file), now: new Date(0) });
  const own: Diagnostic[] = [];
  const value = evaluate(expression, { ...emptyScope(), functions, elsewhere: ELSEWHERE, variables }, own);
  found.push(...own);
  if (hasErrors(own)) return undefined;
  const refuse = (message: string, hint: string): undefined =>
    void found.push({ code: 'render/not-fixed', severity: 'error', message, range: startOf(file), hint });
  if (value.marks.sensitive.size > 0) return void found.push(...[...value.marks.sensitive].map(secretValue));
  if (value.marks.volatile)
    return refuse(
      `${file} uses a value that is another one each time (timestamp, uuidv4, …)`,
      'Give it by --set, so that the same command makes the same data.',
    );
  try {
    const filled = convert(value, STRING).data;
    if (typeof filled === 'string') return filled;
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
  }
  return refuse(`${file} makes no text`, 'Use yamlencode or jsonencode for lists and maps.');
}

/** A value whose secrets are marked by their paths. */
function marked(json: Json, path: string, secrets: ReadonlySet<string>): Value {
  if (secrets.has(path)) return mark(valueFromJson(json), sensitiveMark(path));
  if (typeof json !== 'object' || json === null) return valueFromJson(json);
  if (Array.isArray(json)) return tuple(json.map((item, i) => marked(item, `${path}.${i}`, secrets)));
  const items = Object.entries(json).map(([key, inner]): [string, Value] => [
    key,
    marked(inner, `${path}.${key}`, secrets),
  ]);
  return object(new Map(items));
}
