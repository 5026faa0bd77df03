import type { SourceRange } from '../../core/diagnostic.ts';
import type { Expression } from '../hcl/ast.ts';
import type { Decimal } from '../value/number.ts';

/** JSON with the places of its parts. */
export type JsonNode = { readonly range: SourceRange } & (
  | { readonly kind: 'null' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'number'; readonly value: Decimal }
  /** `plain`: written without escapes, so that places in the text are places in the file. */
  | { readonly kind: 'string'; readonly value: string; readonly plain: boolean }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'object'; readonly members: readonly JsonMember[] }
);

export interface JsonMember {
  readonly key: JsonNode & { readonly kind: 'string' };
  readonly value: JsonNode;
}

/** Reads strings in another way than as HCL templates: as Go templates, in legacy JSON. */
export type StringReader = (node: JsonNode & { readonly kind: 'string' }) => Expression;
