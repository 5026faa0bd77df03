import type { Diagnostic } from '../../core/diagnostic.ts';
import type { HclBody } from '../hcl/ast.ts';
import { emptyBody } from '../hcl/body.ts';
export function parseJsonBody(_text: string, file: string): { body: HclBody; diagnostics: Diagnostic[] } {
  return {
    body: emptyBody(file),
    diagnostics: [{ code: 'template/syntax', severity: 'error', message: 'JSON syntax is not read yet' }],
  };
}
