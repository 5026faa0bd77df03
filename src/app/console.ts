import type { Diagnostic } from '../core/diagnostic.ts';
import { hasErrors } from '../core/diagnostic.ts';
import {
  evaluate,
  type LoadedTemplate,
  loadTemplate,
  NEEDED_TO_BUILD,
  parseHclExpression,
  printValue,
  type Template,
} from '../template/index.ts';
import { catalog } from './catalog.ts';
import { variablesText } from './inspect.ts';
import { templateInputs, type TemplateOptions } from './load.ts';
import { dataReader } from './read-data.ts';
import { type Deps, openSession } from './session.ts';
import { placeOf } from './template-place.ts';

export interface ConsoleOptions extends Omit<TemplateOptions, 'path'> {
  /** Absent: an empty template. */
  readonly path?: string;
  /** Of an empty template: HCL2's expressions, or strings of legacy JSON. */
  readonly hcl2?: boolean;
}

/** What a line was answered with. */
export interface Answer {
  readonly text: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** Evaluates lines in the scope of a template. */
export interface TemplateConsole {
  readonly mode: 'hcl2' | 'legacy';
  /** Warnings and errors of the template itself; with errors there is nothing to ask. */
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: ReadonlyMap<string, string>;
  evaluate(line: string): Promise<Answer>;
  variables(): string;
}

/** Stands for the line in diagnostics. */
const LINE = '<console-input>';

/** `ingot console`: reads the template as far as variables, locals and data, and answers expressions. */
export async function openConsole(options: ConsoleOptions, deps: Deps): Promise<TemplateConsole> {
  if (options.path === undefined) {
    const text = options.hcl2 ? '' : '{}';
    const path = options.hcl2 ? '-.pkr.hcl' : '-';
    return await open({ ...options, path, stdin: async () => text }, '.', deps);
  }
  const { root } = await placeOf(options.path, undefined);
  return await open({ ...options, path: options.path }, root, deps);
}

async function open(options: TemplateOptions, root: string, deps: Deps): Promise<TemplateConsole> {
  const session = openSession(deps);
  const { cacheDir } = session.paths;
  const context = { ...session, workDir: cacheDir, cacheDir, templateDir: process.cwd() };
  const inputs = templateInputs(options, root);
  const loaded = await loadTemplate({
    ...inputs,
    readData: dataReader(catalog, context),
  });
  const { template, sources } = loaded;
  const diagnostics = loaded.diagnostics.filter((d) => !NEEDED_TO_BUILD.has(d.code));
  if (template.syntax === 'hcl2') {
    return {
      mode: 'hcl2',
      diagnostics,
      sources,
      evaluate: async (line) => evaluateHcl(line, template),
      variables: () => variablesText(template),
    };
  }
  return {
    mode: 'legacy',
    diagnostics,
    sources,
    evaluate: (line) => evaluateLegacy(line, loaded, inputs),
    variables: () => legacyVariables(template),
  };
}

function evaluateHcl(line: string, { scope }: Template): Answer {
  const parsed = parseHclExpression(line, LINE);
  const diagnostics = [...parsed.diagnostics];
  if (!parsed.expression || hasErrors(diagnostics)) return { text: '', diagnostics };
  const value = evaluate(parsed.expression, scope, diagnostics);
  return { text: hasErrors(diagnostics) ? '' : printValue(value), diagnostics };
}

/** The line as an option of a builder in a template with the same variables: there strings are Go templates. */
async function evaluateLegacy(
  line: string,
  { template, sources }: LoadedTemplate,
  inputs: ReturnType<typeof templateInputs>,
): Promise<Answer> {
  const file = template.files[0] as string;
  const written = JSON.parse(sources.get(file) ?? '{}') as Record<string, unknown>;
  const text = JSON.stringify({
    variables: written.variables ?? {},
    'sensitive-variables': written['sensitive-variables'] ?? [],
    builders: [{ type: 'null', line }],
  });
  const { template: around, diagnostics } = await loadTemplate({
    ...inputs,
    path: '-',
    readFile: async () => Buffer.from(text),
    varFiles: [],
    vars: template.variables.flatMap(({ name }) => {
      const value = template.values.data instanceof Map && template.values.data.get(name)?.data;
      return typeof value === 'string' ? [`${name}=${value}`] : [];
    }),
  });
  const use = around.builds[0]?.sources[0];
  const expression = use?.body.attributes.get('line')?.expression;
  // Places are those of the template made up here: only what is said is of use.
  const said = diagnostics
    .filter((d) => d.code === 'template/go-template' || !NEEDED_TO_BUILD.has(d.code))
    .map(({ code, severity, message }) => ({ code, severity, message }));
  if (!use || !expression || hasErrors(said)) return { text: '', diagnostics: said };
  const found: Diagnostic[] = [];
  const value = evaluate(expression, use.scope, found);
  return { text: hasErrors(found) ? '' : printValue(value), diagnostics: found };
}

function legacyVariables({ variables, values }: Template): string {
  const known = values.data instanceof Map ? values.data : new Map();
  const lines = variables
    .map(({ name }) => name)
    .sort()
    .map((name) => `${name}: ${printValue(known.get(name))},\n`);
  return `\n${lines.join('')}`;
}
