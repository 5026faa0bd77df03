import { type Budget, newBudget } from './budget.ts';
import type { SourceRange } from '../../core/diagnostic.ts';
import type { Expression } from '../hcl/ast.ts';
import type { FunctionSpec } from '../functions/function.ts';
import { entriesOf, type Value } from '../value/value.ts';

/**
 * A root name whose parts are looked up one by one: `var`, `local`, `data`. `get` answers undefined for a name
 * that is not there; `hint` then says more than the nearest name could.
 */
export interface Namespace {
  get(name: string): Value | undefined;
  names(): Iterable<string>;
  /** All of it as one object. */
  whole(): Value;
  readonly what: string;
}

export type Variable = Value | Namespace;

/** What expressions see. Inner scopes (for expressions, `dynamic` blocks) stand on outer ones. */
export interface EvalScope {
  readonly parent?: EvalScope;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly functions: ReadonlyMap<string, FunctionSpec>;
  /** Functions that exist, but not here, and why. */
  readonly elsewhere: ReadonlyMap<string, string>;
  readonly budget: Budget;
  /** Key for digests of sensitive values; never leaves the machine. */
  readonly hmacKey?: Uint8Array;
  /** Texts of sensitive variables by name (`var.password`), for masking. Grows while expressions ask services. */
  readonly secrets: ReadonlyMap<string, readonly string[]>;
  /** In a build block of HCL2: reads a plugin's string that holds a Go template. Throws GoTemplateError. */
  readonly pluginStrings?: (text: string, range: SourceRange) => Expression;
}

export function isNamespace(variable: Variable): variable is Namespace {
  return 'whole' in variable;
}

/** A scope with nothing in it. */
export function emptyScope(): EvalScope {
  return {
    variables: new Map(),
    functions: new Map(),
    elsewhere: new Map(),
    budget: newBudget(),
    secrets: new Map(),
  };
}

/** `scope` with more variables, which hide others of the same name. */
export function withVariables(scope: EvalScope, vars: Readonly<Record<string, Variable>>): EvalScope {
  return innerScope(scope, new Map(Object.entries(vars)));
}

export function innerScope(scope: EvalScope, variables: ReadonlyMap<string, Variable>): EvalScope {
  return { ...scope, parent: scope, variables };
}

export function findVariable(scope: EvalScope, name: string): Variable | undefined {
  for (let s: EvalScope | undefined = scope; s; s = s.parent) {
    const found = s.variables.get(name);
    if (found) return found;
  }
  return undefined;
}

export function variableNames(scope: EvalScope): string[] {
  const names = new Set<string>();
  for (let s: EvalScope | undefined = scope; s; s = s.parent)
    for (const name of s.variables.keys()) names.add(name);
  return [...names];
}

/** A namespace over an object value. */
export function namespaceOf(what: string, value: Value): Namespace {
  const entries = entriesOf(value);
  return { what, get: (name) => entries.get(name), names: () => entries.keys(), whole: () => value };
}
