import { GoTemplateError } from '../../../template/gotemplate/ast.ts';
import { executeGoTemplate } from '../../../template/gotemplate/execute.ts';
import { parseGoTemplate } from '../../../template/gotemplate/parse.ts';
import { gossFunctions } from './functions.ts';

/** The template of a goss file can't be filled. */
export class TemplateError extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/** What templates of goss files see. */
export interface TemplateVariables {
  /** `.Vars` */
  readonly vars: Readonly<Record<string, unknown>>;
  /** `.Env` */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Fills the Go template that a goss file is. Throws TemplateError; a missing variable is an error, as in goss. */
export function fillTemplate(text: string, { vars, env }: TemplateVariables): string {
  if (!text.includes('{{')) return text;
  try {
    return executeGoTemplate(
      parseGoTemplate(text),
      { Vars: vars, Env: env },
      { functions: gossFunctions(env), missingKey: 'error' },
    );
  } catch (error) {
    if (error instanceof GoTemplateError) throw new TemplateError(error.message, error.line);
    throw error;
  }
}
