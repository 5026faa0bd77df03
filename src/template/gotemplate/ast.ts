/** An operand or call of a Go template (text/template, "Pipelines"). */
export type Operand =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'dot' }
  /** `.A.B`, `$x.A`, `(pipeline).A`: `base` undefined is the dot. */
  | { readonly kind: 'field'; readonly base: Operand | undefined; readonly path: readonly string[] }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline };

/** `name arg arg`; one operand alone is its own value. */
export interface Command {
  readonly operands: readonly Operand[];
}

export interface Pipeline {
  readonly declare: readonly string[];
  /** `=` instead of `:=`. */
  readonly assign: boolean;
  readonly commands: readonly Command[];
}

/** `source`: as written; of a control structure all of it, to its `end`. */
export type GoNode = { readonly line: number; readonly source: string } & (
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipeline: Pipeline;
      readonly body: readonly GoNode[];
      readonly otherwise: readonly GoNode[];
    }
  | { readonly kind: 'template'; readonly name: string; readonly pipeline: Pipeline | undefined }
  | { readonly kind: 'break' | 'continue' }
);

export interface GoTemplate {
  readonly nodes: readonly GoNode[];
  /** Templates of `define` and `block`. */
  readonly defined: ReadonlyMap<string, readonly GoNode[]>;
}

/** The template can't be read or filled. */
export class GoTemplateError extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}
