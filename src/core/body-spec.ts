/**
 * What a plugin's HCL body may hold: plain data that drives validation, decoding, JSON Schema and docs.
 * The template room reads bodies against it; plugins get the decoded, typed options.
 */

/** An HCL type constraint as data. */
export type ValueType =
  | 'string'
  | 'number'
  | 'bool'
  | 'any'
  | { readonly list: ValueType }
  | { readonly set: ValueType }
  | { readonly map: ValueType }
  | { readonly object: Readonly<Record<string, ValueType>> };

/** How a decoded string is read further. `duration`: Go's syntax ("1h5m", "300ms") to milliseconds. */
export type StringFormat = 'duration' | 'size' | 'octal';

export interface AttributeSpec<T = unknown> {
  readonly type: ValueType;
  /** One sentence for help, docs and JSON Schema. */
  readonly doc: string;
  readonly required: boolean;
  readonly default?: T;
  readonly oneOf?: readonly T[];
  readonly format?: StringFormat;
  /** Says what to use instead. */
  readonly deprecated?: string;
  /** Masked wherever it would be shown. */
  readonly sensitive?: boolean;
  /** Changes how a step runs, not what it makes (timeouts, retries): left out of the step's digest. */
  readonly unhashed?: boolean;
  /** The string is a Go template that the plugin fills at run time (`{{ .Vars }}`): left alone while planning. */
  readonly goTemplate?: boolean;
  /** Secret references (`ref+vault://…`) in its texts are resolved where the step runs; what is hashed is the reference. */
  readonly references?: boolean;
  /** Carries T for OptionsOf; never set. */
  readonly _type?: T;
}

export interface BlockSpec<S extends BodyShape = BodyShape, Many extends boolean = boolean> {
  readonly body: BodySpec<S>;
  readonly many: Many;
  readonly doc: string;
  readonly required: boolean;
  /** Names of the block's labels; each becomes a string option of that name. */
  readonly labels: readonly string[];
}

export interface BodyShape {
  readonly attributes: Readonly<Record<string, AttributeSpec>>;
  readonly blocks: Readonly<Record<string, BlockSpec>>;
}

/** A finding about decoded options; `path` leads from the body to the value (`['inline', 2]`). */
export interface OptionProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint?: string;
  readonly severity?: 'error' | 'warning';
}

export interface BodySpec<S extends BodyShape = BodyShape> {
  readonly attributes: S['attributes'];
  readonly blocks: S['blocks'];
  /** Rules across options ("one of inline, script, scripts"). */
  readonly check?: (options: never) => readonly OptionProblem[];
}

type Simplify<T> = { [K in keyof T]: T[K] } & {};
type AttributeOptions<A> = { [K in keyof A]: A[K] extends AttributeSpec<infer T> ? T : never };
type BlockOptions<B> = {
  [K in keyof B]: B[K] extends BlockSpec<infer S, infer Many>
    ? Many extends true
      ? readonly OptionsOfShape<S>[]
      : OptionsOfShape<S> | undefined
    : never;
};
type OptionsOfShape<S extends BodyShape> = Simplify<
  AttributeOptions<S['attributes']> & BlockOptions<S['blocks']>
>;

/** The TypeScript type of the options that a spec decodes to. */
export type OptionsOf<B> = B extends BodySpec<infer S> ? OptionsOfShape<S> : never;

/** A spec from its attributes and blocks. `check` gets the decoded options. */
export function bodySpec<
  const A extends Readonly<Record<string, AttributeSpec>>,
  const B extends Readonly<Record<string, BlockSpec>> = Record<never, BlockSpec>,
>(
  attributes: A,
  blocks?: B,
  check?: (options: OptionsOfShape<{ attributes: A; blocks: B }>) => readonly OptionProblem[],
): BodySpec<{ attributes: A; blocks: B }> {
  return {
    attributes,
    blocks: blocks ?? ({} as B),
    ...(check && { check: check as unknown as (o: never) => readonly OptionProblem[] }),
  };
}

interface Extras<T> {
  oneOf?: readonly T[];
  deprecated?: string;
  sensitive?: boolean;
  unhashed?: boolean;
  goTemplate?: boolean;
  references?: boolean;
}

interface AttributeMaker<T> {
  (doc: string, extras: Extras<T> & { required: true }): AttributeSpec<T>;
  (doc: string, extras: Extras<T> & { default: T }): AttributeSpec<T>;
  (doc: string, extras?: Extras<T>): AttributeSpec<T | undefined>;
}

function maker<T>(type: ValueType, format?: StringFormat): AttributeMaker<T> {
  return ((doc: string, extras?: Extras<T> & { required?: boolean; default?: T }) => ({
    type,
    doc,
    ...extras,
    required: extras?.required ?? false,
    ...(format && { format }),
  })) as AttributeMaker<T>;
}

/** Makers of attribute specs. */
export const attr = {
  string: maker<string>('string'),
  number: maker<number>('number'),
  bool: maker<boolean>('bool'),
  any: maker<unknown>('any'),
  strings: maker<readonly string[]>({ list: 'string' }),
  numbers: maker<readonly number[]>({ list: 'number' }),
  stringMap: maker<Readonly<Record<string, string>>>({ map: 'string' }),
  /** "90s" in HCL, milliseconds in the options. */
  duration: maker<number>('string', 'duration'),
  /** "2G" or "2048M" (powers of 1024) in HCL, bytes in the options. */
  size: maker<number>('string', 'size'),
  /** "0644" in HCL, the number in the options. */
  octal: maker<number>('string', 'octal'),
};

interface BlockExtras {
  doc: string;
  labels?: readonly string[];
  required?: boolean;
}

/** A nested block that may come once. */
export function block<S extends BodyShape>(body: BodySpec<S>, extras: BlockExtras): BlockSpec<S, false> {
  return {
    body,
    many: false,
    doc: extras.doc,
    labels: extras.labels ?? [],
    required: extras.required ?? false,
  };
}

/** A nested block that may come any number of times; its options are a list in the order of the file. */
export function blocks<S extends BodyShape>(body: BodySpec<S>, extras: BlockExtras): BlockSpec<S, true> {
  return {
    body,
    many: true,
    doc: extras.doc,
    labels: extras.labels ?? [],
    required: extras.required ?? false,
  };
}
