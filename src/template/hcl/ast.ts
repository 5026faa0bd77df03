import type { SourceRange } from '../../core/diagnostic.ts';
import type { JsonNode, StringReader } from '../json/json-node.ts';
import type { Value } from '../value/value.ts';

/** What stands between two braces, or in a file: attributes by name and blocks in order. */
export interface HclBody {
  readonly attributes: ReadonlyMap<string, HclAttribute>;
  readonly blocks: readonly HclBlock[];
  readonly range: SourceRange;
}

export interface HclAttribute {
  readonly name: string;
  readonly expression: Expression;
  /** The expression as written. */
  readonly text: string;
  readonly range: SourceRange;
  readonly nameRange: SourceRange;
  /** Where it comes from JSON: it may turn out to stand for blocks, in which `bound` is known too. */
  readonly json?: {
    readonly node: JsonNode;
    readonly source: string;
    readonly strings?: StringReader;
    readonly bound?: ReadonlyMap<string, Value>;
  };
}

export interface HclBlock {
  readonly type: string;
  readonly labels: readonly string[];
  readonly labelRanges: readonly SourceRange[];
  readonly body: HclBody;
  /** The header: type and labels. The body has its own range. */
  readonly range: SourceRange;
}

/** An expression of HCL's native syntax (hclsyntax/spec.md, "Expressions"). */
export type Expression =
  | LiteralExpression
  | TemplateExpression
  | VariableExpression
  | AccessExpression
  | TupleExpression
  | ObjectExpression
  | ForExpression
  | CallExpression
  | ConditionalExpression
  | BinaryExpression
  | UnaryExpression
  | BoundExpression
  | ParenthesesExpression;

interface Node<K extends string> {
  readonly kind: K;
  readonly range: SourceRange;
}

export interface LiteralExpression extends Node<'literal'> {
  readonly value: Value;
}

export interface TemplateExpression extends Node<'template'> {
  readonly parts: readonly TemplatePart[];
}

export interface VariableExpression extends Node<'variable'> {
  readonly name: string;
}

/** `base` followed by `.name`, `[key]` and splats. */
export interface AccessExpression extends Node<'access'> {
  readonly base: Expression;
  readonly steps: readonly AccessStep[];
}

export type AccessStep =
  | (Node<'attribute'> & { readonly name: string })
  | (Node<'index'> & { readonly key: Expression })
  /** `[*]` or `.*`: `steps` are taken on every element. */
  | (Node<'splat'> & { readonly steps: readonly AccessStep[] });

export interface TupleExpression extends Node<'tuple'> {
  readonly items: readonly Expression[];
}

export interface ObjectItem {
  readonly key: Expression;
  readonly value: Expression;
}

export interface ObjectExpression extends Node<'object'> {
  readonly items: readonly ObjectItem[];
}

export interface ForExpression extends Node<'for'> {
  readonly keyName: string | undefined;
  readonly valueName: string;
  readonly collection: Expression;
  /** Present where the result is an object. */
  readonly key: Expression | undefined;
  readonly value: Expression;
  /** `...`: values of equal keys are grouped. */
  readonly grouped: boolean;
  readonly condition: Expression | undefined;
}

export interface CallExpression extends Node<'call'> {
  readonly name: string;
  readonly nameRange: SourceRange;
  readonly arguments: readonly Expression[];
  /** `...`: the last argument is a list of arguments. */
  readonly expand: boolean;
}

export interface ConditionalExpression extends Node<'conditional'> {
  readonly condition: Expression;
  readonly whenTrue: Expression;
  readonly whenFalse: Expression;
}

export type BinaryOperator =
  | '||'
  | '&&'
  | '=='
  | '!='
  | '<'
  | '>'
  | '<='
  | '>='
  | '+'
  | '-'
  | '*'
  | '/'
  | '%';

export interface BinaryExpression extends Node<'binary'> {
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
}

export interface UnaryExpression extends Node<'unary'> {
  readonly operator: '!' | '-';
  readonly operand: Expression;
}

/** An expression of a `dynamic` block's content, with what its iterator stands for; never written, only made. */
export interface BoundExpression extends Node<'bound'> {
  readonly variables: ReadonlyMap<string, Value>;
  readonly inner: Expression;
}

/** Kept apart because `(name)` as an object's key is evaluated and `name` is not. */
export interface ParenthesesExpression extends Node<'parentheses'> {
  readonly inner: Expression;
}

export type TemplatePart =
  | (Node<'text'> & { readonly text: string })
  | (Node<'interpolation'> & { readonly expression: Expression })
  | (Node<'if'> & {
      readonly condition: Expression;
      readonly whenTrue: readonly TemplatePart[];
      readonly whenFalse: readonly TemplatePart[];
    })
  | (Node<'for'> & {
      readonly keyName: string | undefined;
      readonly valueName: string;
      readonly collection: Expression;
      readonly body: readonly TemplatePart[];
    });
