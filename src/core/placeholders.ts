import { IngotError } from './error.ts';

/**
 * Fills the placeholders of a plugin's string: `{{ .Name }}` and `{{.Name}}`. Everything else between double braces
 * is an error: a command that silently lost a part would run.
 */
export function fillPlaceholders(
  template: string,
  values: Readonly<Record<string, string>>,
  what: string,
): string {
  const filled = template.replace(/\{\{-?\s*\.([A-Za-z][A-Za-z0-9_]*)\s*-?\}\}/g, (all, name: string) => {
    if (Object.hasOwn(values, name)) return values[name] as string;
    throw new IngotError(
      'core/unknown-placeholder',
      `${what} has ${all}; expected one of ${placeholders(values)}`,
    );
  });
  const rest = /\{\{.*?\}\}/s.exec(template.replace(/\{\{-?\s*\.[A-Za-z][A-Za-z0-9_]*\s*-?\}\}/g, ''));
  if (rest) {
    throw new IngotError(
      'core/unknown-placeholder',
      `${what} has ${rest[0]}; expected one of ${placeholders(values)}`,
      {
        hint: 'Functions and conditions of Go templates are not supported in this place.',
      },
    );
  }
  return filled;
}

function placeholders(values: Readonly<Record<string, string>>): string {
  return Object.keys(values)
    .map((name) => `{{ .${name} }}`)
    .join(', ');
}
