/** A set of code points: ranges and Unicode properties, or all but these. */
export interface CharClass {
  readonly ranges: readonly (readonly [number, number])[];
  readonly properties: readonly RegExp[];
  readonly negated: boolean;
  readonly fold: boolean;
}

export type Assertion = 'text-start' | 'text-end' | 'line-start' | 'line-end' | 'word' | 'no-word';

/** A regular expression in RE2's syntax, read. */
export type Node =
  | { readonly kind: 'empty' }
  | { readonly kind: 'chars'; readonly chars: CharClass }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'concat' | 'alternate'; readonly nodes: readonly Node[] }
  | {
      readonly kind: 'repeat';
      readonly node: Node;
      readonly min: number;
      readonly max: number;
      readonly greedy: boolean;
    }
  | { readonly kind: 'group'; readonly node: Node; readonly index: number };

/** The pattern is not RE2's: it can't be read, or uses what makes matching take exponential time. */
export class PatternError extends Error {}
