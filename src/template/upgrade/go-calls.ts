import { GoTemplateError, type GoNode, type Operand, type Pipeline } from '../gotemplate/ast.ts';
import { executeGoTemplate, type GoFunction } from '../gotemplate/execute.ts';
import { parseGoTemplate } from '../gotemplate/parse.ts';
import { goQuote } from '../value/go-quote.ts';

/** Between these an expression of HCL stands in a text; both are private to Unicode and come from nowhere else. */
const OPEN = '\uE000';
const CLOSE = '\uE001';

const DOCS = 'https://www.packer.io/docs/templates/hcl_templates/functions/string';

/** Calls that have no counterpart of the same shape, and what Packer tells to write instead. */
const BY_HAND: Readonly<Record<string, { readonly instead: string; readonly docs: string }>> = {
  clean_resource_name: {
    instead: '`regex_replace(string, pattern, replacement)`',
    docs: `${DOCS}/regex_replace`,
  },
  lower: { instead: '`lower(var.example)`', docs: `${DOCS}/lower` },
  replace: replacement(),
  replace_all: replacement(),
  split: { instead: '`split(separator, string)`', docs: `${DOCS}/split` },
  upper: { instead: '`upper(var.example)`', docs: `${DOCS}/upper` },
};

function replacement(): { instead: string; docs: string } {
  return {
    instead: '`replace(string, substring, replacement)` or `regex_replace(string, substring, replacement)`',
    docs: `${DOCS}/replace or ${DOCS}/regex_replace`,
  };
}

/** Turns the Go templates in strings of a legacy template into HCL's own expressions. */
export class GoCalls {
  /** Variables that became locals. */
  readonly locals = new Set<string>();
  /** `timestamp`, `isotime` and `strftime`, where they were called. */
  readonly used = new Set<string>();
  /** Arguments of aws_secretsmanager, one a data source. */
  readonly secrets: { readonly name: string; readonly key?: string }[] = [];
  /** What could not be turned since the last question. */
  #problems: string[] = [];
  readonly #functions: ReadonlyMap<string, GoFunction> = this.#makeFunctions();

  /** A string with what stands for calls in place; `quoted` writes it. */
  convert(text: string): string {
    if (!text.includes('{{')) return text;
    try {
      const { nodes, defined } = parseGoTemplate(text);
      if (defined.size > 0) return text;
      return nodes.map((node) => this.#node(node)).join('');
    } catch (error) {
      if (!(error instanceof GoTemplateError)) throw error;
      this.#problems.push(`could not parse ${JSON.stringify(text)}: ${error.message}`);
      return text;
    }
  }

  /** The comments that stand in front of a block for what had to stay, and an empty list from now on. */
  takeProblems(): string[] {
    const taken = this.#problems;
    this.#problems = [];
    return taken;
  }

  #node(node: GoNode): string {
    if (node.kind === 'text') return node.text;
    if (node.kind !== 'action' || usesData(node.pipeline)) return spaced(node.source);
    const [first] = node.pipeline.commands[0]?.operands ?? [];
    if (first?.kind === 'function' && !this.#functions.has(first.name)) {
      this.#problems.push(`unhandled ${goQuote(first.name)} call: there is no such function in HCL2`);
      return node.source;
    }
    return executeGoTemplate({ nodes: [node], defined: new Map() }, {}, { functions: this.#functions });
  }

  #makeFunctions(): ReadonlyMap<string, GoFunction> {
    const raw = (expression: string): string => `${OPEN}\${${expression}}${CLOSE}`;
    const call = (name: string, args: readonly unknown[]): string =>
      raw(`${name}(${args.map((arg) => goQuote(textOf(arg))).join(', ')})`);
    const time =
      (name: 'isotime' | 'strftime'): GoFunction =>
      (...args) => {
        if (args.length === 0) return raw('timestamp()');
        this.used.add(name);
        return call(`legacy_${name}`, args.slice(0, 1));
      };
    const stays =
      (name: string, order: readonly number[]): GoFunction =>
      (...args) => {
        const { instead, docs } = BY_HAND[name] as { instead: string; docs: string };
        this.#problems.push(
          `unhandled "${name}" call:\n# there is no way to automatically upgrade the "${name}" call.\n# Please manually upgrade to ${instead}\n# Visit ${docs} for more infos.`,
        );
        const shown = order.map((i) => (typeof args[i] === 'string' ? `\`${args[i]}\`` : textOf(args[i])));
        return `{{ ${name} ${shown.join(' ')} }}`;
      };
    return new Map<string, GoFunction>([
      [
        'aws_secretsmanager',
        (name, key) => raw(`data.amazon-secretsmanager.${this.#secret(name, key)}.value`),
      ],
      ['build', (name) => raw(`build.${textOf(name)}`)],
      ['build_name', () => raw('build.name')],
      ['build_type', () => raw('build.type')],
      ['clean_resource_name', stays('clean_resource_name', [0])],
      ['consul_key', (...args) => call('consul_key', args)],
      ['data', (name) => raw(`data.${textOf(name)}`)],
      ['env', (name) => call('env', [name])],
      ['isotime', time('isotime')],
      ['lower', stays('lower', [0])],
      ['packer_version', () => raw('packer.version')],
      ['pwd', () => raw('path.cwd')],
      ['replace', stays('replace', [0, 1, 3, 2])],
      ['replace_all', stays('replace_all', [0, 1, 2])],
      ['split', stays('split', [0, 1, 2])],
      ['strftime', time('strftime')],
      ['template_dir', () => raw('path.root')],
      [
        'timestamp',
        () => {
          this.used.add('timestamp');
          return raw('local.timestamp');
        },
      ],
      ['upper', stays('upper', [0])],
      ['user', (name) => raw(`${this.locals.has(textOf(name)) ? 'local' : 'var'}.${textOf(name)}`)],
      ['uuid', () => raw('uuidv4()')],
      ['vault', (...args) => call('vault', args)],
    ]);
  }

  #secret(name: unknown, key: unknown): string {
    const wanted = { name: textOf(name), ...(key !== undefined && { key: textOf(key) }) };
    const same = this.secrets.findIndex((s) => s.name === wanted.name && s.key === wanted.key);
    const index = same >= 0 ? same : this.secrets.push(wanted) - 1;
    return `autogenerated_${index + 1}`;
  }
}

/** A converted string between quotes, with HCL's escapes (hclsyntax spec, "Template Expressions"). */
export function quoted(text: string): string {
  const parts = text.split(new RegExp(`${OPEN}([^${CLOSE}]*)${CLOSE}`));
  return `"${parts.map((part, i) => (i % 2 === 1 ? part : escape(part))).join('')}"`;
}

/** Names of functions that a string calls; those of a string that can't be read are none. */
export function calledIn(text: string): { readonly functions: Set<string>; readonly users: Set<string> } {
  const found = { functions: new Set<string>(), users: new Set<string>() };
  if (!text.includes('{{')) return found;
  const visit = (pipeline: Pipeline): void => {
    for (const { operands } of pipeline.commands) {
      const [first, argument] = operands;
      for (const operand of operands) {
        if (operand.kind === 'function') found.functions.add(operand.name);
        if (operand.kind === 'pipeline') visit(operand.pipeline);
      }
      if (first?.kind === 'function' && first.name === 'user' && argument?.kind === 'literal')
        found.users.add(String(argument.value));
    }
  };
  try {
    for (const node of parseGoTemplate(text).nodes)
      if ('pipeline' in node && node.pipeline) visit(node.pipeline);
  } catch (error) {
    if (!(error instanceof GoTemplateError)) throw error;
  }
  return found;
}

function escape(text: string): string {
  return text.replace(/["\\\n\r\t]|\$\{|%\{|[\p{Cc}]/gu, (found) => {
    const known: Readonly<Record<string, string>> = {
      '"': '\\"',
      '\\': '\\\\',
      '\n': '\\n',
      '\r': '\\r',
      '\t': '\\t',
      '${': '$${',
      '%{': '%%{',
    };
    return known[found] ?? `\\u${(found.codePointAt(0) as number).toString(16).padStart(4, '0')}`;
  });
}

/** An argument of a call: Go templates have strings, numbers and booleans. */
function textOf(argument: unknown): string {
  return typeof argument === 'string' ? argument : JSON.stringify(argument);
}

/** `{{.Vars}}` as Packer writes it: `{{ .Vars }}`. */
function spaced(source: string): string {
  return source.replace(/^\{\{(-?)\s*(.*?)\s*(-?)\}\}$/s, '{{$1 $2 $3}}');
}

/** Whether a pipeline needs the plugin's own data. */
function usesData(pipeline: Pipeline): boolean {
  return pipeline.commands.some(({ operands }) => operands.some(isData));
}

function isData(operand: Operand): boolean {
  if (operand.kind === 'pipeline') return usesData(operand.pipeline);
  return operand.kind === 'dot' || operand.kind === 'field' || operand.kind === 'variable';
}
