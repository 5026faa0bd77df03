import {
  type Command,
  type GoNode,
  type GoTemplate,
  GoTemplateError,
  type Operand,
  type Pipeline,
} from './ast.ts';
import { builtins, isTrue, show } from './builtins.ts';
import { GoFunctionError } from './function-error.ts';

/** A function of a template. It throws GoFunctionError to refuse its arguments. */
export type GoFunction = (...args: readonly unknown[]) => unknown;

export interface ExecuteOptions {
  readonly functions?: ReadonlyMap<string, GoFunction>;
  /** What a missing key of a map does: `<no value>`, or an error. Default: error. */
  readonly missingKey?: 'error' | 'zero';
}

/** Steps and characters of output that a template may take: loops of hostile templates end. */
const MAX_STEPS = 1_000_000;
const MAX_OUTPUT = 16 * 1024 * 1024;
const MAX_DEPTH = 100;

/**
 * Fills a template from `data`: strings, numbers, booleans, arrays, Maps and records. Only own keys of records are
 * seen. Throws GoTemplateError with the line.
 */
export function executeGoTemplate(template: GoTemplate, data: unknown, options: ExecuteOptions = {}): string {
  return new Execution(template, options).run(data);
}

/** Ends a turn of `range`. */
type Flow = 'break' | 'continue' | undefined;

interface Variable {
  readonly name: string;
  value: unknown;
}

class Execution {
  readonly #template: GoTemplate;
  readonly #functions: ReadonlyMap<string, GoFunction>;
  readonly #missingKey: 'error' | 'zero';
  readonly #out: string[] = [];
  #variables: Variable[] = [];
  #length = 0;
  #steps = 0;
  #depth = 0;
  #line = 1;

  constructor(template: GoTemplate, options: ExecuteOptions) {
    this.#template = template;
    this.#functions = new Map([...builtins, ...(options.functions ?? [])]);
    this.#missingKey = options.missingKey ?? 'error';
  }

  run(data: unknown): string {
    this.#variables = [{ name: '$', value: data }];
    this.#nodes(this.#template.nodes, data);
    return this.#out.join('');
  }

  #fail(message: string): never {
    throw new GoTemplateError(message, this.#line);
  }

  #write(text: string): void {
    this.#length += text.length;
    if (this.#length > MAX_OUTPUT) this.#fail(`the result is longer than ${MAX_OUTPUT} characters`);
    this.#out.push(text);
  }

  #nodes(nodes: readonly GoNode[], dot: unknown): Flow {
    const mark = this.#variables.length;
    try {
      for (const node of nodes) {
        this.#line = node.line;
        if (++this.#steps > MAX_STEPS) this.#fail(`more than ${MAX_STEPS} steps`);
        const flow = this.#node(node, dot);
        if (flow) return flow;
      }
      return undefined;
    } finally {
      this.#variables.length = mark;
    }
  }

  #node(node: GoNode, dot: unknown): Flow {
    switch (node.kind) {
      case 'text':
        this.#write(node.text);
        return undefined;
      case 'action': {
        const value = this.#pipeline(node.pipeline, dot);
        if (node.pipeline.declare.length === 0) this.#write(show(value));
        return undefined;
      }
      case 'break':
      case 'continue':
        return node.kind;
      case 'template':
        this.#call(node.name, node.pipeline ? this.#pipeline(node.pipeline, dot) : undefined);
        return undefined;
      case 'range':
        return this.#range(node, dot);
      case 'if':
      case 'with': {
        const mark = this.#variables.length;
        const value = this.#pipeline(node.pipeline, dot);
        const flow = isTrue(value)
          ? this.#nodes(node.body, node.kind === 'with' ? value : dot)
          : this.#nodes(node.otherwise, dot);
        this.#variables.length = mark;
        return flow;
      }
    }
  }

  #call(name: string, data: unknown): void {
    const nodes = this.#template.defined.get(name);
    if (!nodes) this.#fail(`there is no template ${JSON.stringify(name)}`);
    if (++this.#depth > MAX_DEPTH) this.#fail('templates call each other without end');
    const outer = this.#variables;
    this.#variables = [{ name: '$', value: data }];
    this.#nodes(nodes, data);
    this.#variables = outer;
    this.#depth--;
  }

  #range(node: GoNode & { kind: 'if' | 'with' | 'range' }, dot: unknown): Flow {
    const mark = this.#variables.length;
    const { declare } = node.pipeline;
    const entries = this.#entries(this.#pipeline({ ...node.pipeline, declare: [] }, dot));
    if (entries.length === 0) return this.#nodes(node.otherwise, dot);
    for (const [key, value] of entries) {
      this.#variables.length = mark;
      const [first, second] = declare;
      if (first !== undefined)
        this.#variables.push({ name: first, value: second === undefined ? value : key });
      if (second !== undefined) this.#variables.push({ name: second, value });
      if (this.#nodes(node.body, value) === 'break') break;
    }
    this.#variables.length = mark;
    return undefined;
  }

  #entries(value: unknown): [unknown, unknown][] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return value.map((item: unknown, i): [unknown, unknown] => [i, item]);
    if (typeof value === 'number')
      return Array.from({ length: Math.min(Math.max(0, value), MAX_STEPS) }, (_, i) => [i, i]);
    const entries =
      value instanceof Map
        ? [...(value as Map<unknown, unknown>)]
        : typeof value === 'object'
          ? Object.entries(value)
          : undefined;
    if (!entries) return this.#fail(`range can't go over ${show(value)}`);
    return entries.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  }

  #pipeline(pipeline: Pipeline, dot: unknown): unknown {
    let value: unknown;
    pipeline.commands.forEach((command, i) => {
      value = this.#command(command, dot, i === 0 ? [] : [value]);
    });
    const [name] = pipeline.declare;
    if (name !== undefined && pipeline.assign) {
      const variable = this.#variables.findLast((v) => v.name === name);
      if (!variable) this.#fail(`there is no variable ${name}`);
      variable.value = value;
    } else if (name !== undefined) this.#variables.push({ name, value });
    return value;
  }

  #command({ operands }: Command, dot: unknown, piped: readonly unknown[]): unknown {
    const [first, ...others] = operands as readonly [Operand, ...Operand[]];
    if (first.kind === 'function') return this.#apply(first.name, others, dot, piped);
    if (others.length > 0 || piped.length > 0)
      this.#fail(`can't give arguments to ${describe(first)}, which is no function`);
    return this.#operand(first, dot);
  }

  #apply(name: string, operands: readonly Operand[], dot: unknown, piped: readonly unknown[]): unknown {
    const call = this.#functions.get(name);
    if (!call) this.#fail(`function ${JSON.stringify(name)} not defined`);
    if (name === 'and' || name === 'or') {
      // These stop at the first value that decides.
      let value: unknown = piped[0];
      for (const operand of operands) {
        value = this.#operand(operand, dot);
        if (isTrue(value) === (name === 'or')) return value;
      }
      return piped.length > 0 ? piped[0] : value;
    }
    const args = [...operands.map((operand) => this.#operand(operand, dot)), ...piped];
    try {
      return call(...args);
    } catch (error) {
      if (error instanceof GoFunctionError) return this.#fail(`${name}: ${error.message}`);
      throw error;
    }
  }

  #operand(operand: Operand, dot: unknown): unknown {
    switch (operand.kind) {
      case 'literal':
        return operand.value;
      case 'dot':
        return dot;
      case 'variable': {
        const variable = this.#variables.findLast((v) => v.name === operand.name);
        if (!variable) return this.#fail(`there is no variable ${operand.name}`);
        return variable.value;
      }
      case 'pipeline':
        return this.#pipeline(operand.pipeline, dot);
      case 'function':
        return this.#apply(operand.name, [], dot, []);
      case 'field':
        return operand.path.reduce(
          (value, name) => this.#field(value, name),
          operand.base ? this.#operand(operand.base, dot) : dot,
        );
    }
  }

  #field(value: unknown, name: string): unknown {
    if (value instanceof Map && value.has(name)) return (value as Map<string, unknown>).get(name);
    if (typeof value === 'object' && value !== null && Object.hasOwn(value, name))
      return (value as Record<string, unknown>)[name];
    if (this.#missingKey === 'zero' && typeof value === 'object') return undefined;
    return this.#fail(`there is no field ${JSON.stringify(name)}`);
  }
}

function describe(operand: Operand): string {
  return operand.kind === 'field' ? `.${operand.path.join('.')}` : operand.kind;
}
