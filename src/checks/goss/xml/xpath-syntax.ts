/** An expression of XPath 1.0, as read. */
export type Expression =
  | { readonly type: 'number'; readonly value: number }
  | { readonly type: 'text'; readonly value: string }
  | { readonly type: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly type: 'negative'; readonly of: Expression }
  | {
      readonly type: 'binary';
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly type: 'path';
      /** Where it begins: the document, the node at hand, or what another expression gives. */
      readonly from: 'root' | 'here' | Expression;
      readonly steps: readonly Step[];
    };

export interface Step {
  readonly axis: string;
  readonly test: NodeTest;
  readonly predicates: readonly Expression[];
}

/** A kind of node, or a name; `*` stands for any. */
export type NodeTest =
  | { readonly kind: 'node' | 'text' | 'comment' | 'processing-instruction' }
  | { readonly prefix: string; readonly name: string };

export const AXES: ReadonlySet<string> = new Set(
  'ancestor ancestor-or-self attribute child descendant descendant-or-self following following-sibling parent preceding preceding-sibling self'.split(
    ' ',
  ),
);
