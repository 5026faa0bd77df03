import { IngotError } from '../../core/error.ts';
import { GoTemplateError } from '../gotemplate/ast.ts';
import { executeGoTemplate } from '../gotemplate/execute.ts';
import { parseGoTemplate } from '../gotemplate/parse.ts';
import { TEXT_FUNCTIONS } from './functions.ts';

/**
 * Fills a plugin's string with what only the plugin knows (`{{ .Vars }}`, `{{ if .Path }}…{{ end }}`). A field that is
 * not there is an error, where Packer writes `<no value>`: a command that silently lost a part would run. `what`: the
 * option, for messages.
 */
export function fillString(text: string, values: Readonly<Record<string, string>>, what: string): string {
  if (!text.includes('{{')) return text;
  try {
    return executeGoTemplate(parseGoTemplate(text), values, { functions: TEXT_FUNCTIONS });
  } catch (failure) {
    if (!(failure instanceof GoTemplateError)) throw failure;
    const fields = Object.keys(values).map((name) => `{{ .${name} }}`);
    throw new IngotError('template/go-template', `${what}: ${failure.message}`, {
      hint: `There are ${fields.join(', ')} in this place.`,
      cause: failure,
    });
  }
}
