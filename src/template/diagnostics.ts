import type { Diagnostic, SourceRange } from '../core/diagnostic.ts';

/** An error at a place of the template. */
export function error(code: string, message: string, range: SourceRange, hint?: string): Diagnostic {
  return { code, severity: 'error', message, range, ...(hint !== undefined && { hint }) };
}
