import type { Diagnostic, SourceRange } from '../../core/diagnostic.ts';
import { type Digest, digestOf, sha256 } from '../../core/digest.ts';
import { newBudget } from '../eval/budget.ts';
import { type EvalScope, namespaceOf } from '../eval/scope.ts';
import { ELSEWHERE, standardFunctions } from '../functions/index.ts';
import type { Services } from '../functions/services.ts';
import type { HclBody } from '../hcl/ast.ts';
import { mergeBodies } from '../hcl/body.ts';
import { parseHcl } from '../hcl/parser.ts';
import { parseJsonBody } from '../json/parse-json-body.ts';
import { goString } from '../legacy/go-string.ts';
import { stringFunctions } from '../legacy/string-functions.ts';
import type { LegacyOptions } from '../legacy/load-legacy.ts';
import { object, string, type Value } from '../value/value.ts';
import { collectAssignments } from './assignments.ts';
import { type BuildBlock, readBuilds, readSources, type SourceBlock } from './builds.ts';
import { readContent } from './content.ts';
import { readDynamicContent } from './dynamic-content.ts';
import { type ReadData, evaluateNodes } from './evaluate-nodes.ts';
import { type ReadFile, readTemplateFiles, type TemplateFile } from './files.ts';
import { type DataBlock, type LocalInfo, readData, readLocals } from './locals.ts';
import { type RequiredPlugin, readPackerBlocks } from './packer-block.ts';
import { PACKER_VERSION } from './version.ts';
import { assignVariables, readVariables, type VariableInfo } from './variables.ts';

export interface LoadOptions {
  /** A template file, or the folder of one. */
  readonly path: string;
  /** -var: `name=value`, the last of a name winning. */
  readonly vars?: readonly string[];
  /** -var-file, in order. */
  readonly varFiles?: readonly string[];
  /** For `PKR_VAR_x` and the function env; default: nothing. */
  readonly env?: NodeJS.ProcessEnv;
  /** Key for digests of sensitive values. */
  readonly hmacKey?: Uint8Array;
  /** What `timestamp()` answers; default: the time of the call. */
  readonly now?: Date;
  /** What `path.root` answers; default `.`, since relative paths in a template start at its folder. */
  readonly root?: string;
  /** Warn about variables in files that the template does not declare; default true. */
  readonly warnUndeclared?: boolean;
  /** What a function such as vault() gives where its service is not configured; default: an error. */
  readonly unconfigured?: Services['unconfigured'];
  /** Asks data sources; without it their values are unknown. */
  readonly readData?: ReadData;
  readonly readFile?: ReadFile;
}

interface TemplateHead {
  /** Its folder, absolute; relative paths in it start here. */
  readonly dir: string;
  /** Names of its files, relative to the folder. */
  readonly files: readonly string[];
  /** Of all template files: their names and contents. */
  readonly digest: Digest;
}

/** A template, evaluated as far as that goes without building. */
export interface Template extends TemplateHead {
  /** In `legacy` templates sources have a name alone: `-only=NAME`. */
  readonly syntax: 'hcl2' | 'legacy';
  readonly requiredVersion?: string;
  readonly requiredPlugins: readonly RequiredPlugin[];
  readonly variables: readonly VariableInfo[];
  /** The variables' values, defaults included. */
  readonly values: Value;
  readonly locals: readonly (LocalInfo & { readonly value: Value })[];
  readonly dataSources: readonly DataBlock[];
  readonly sources: readonly SourceBlock[];
  readonly builds: readonly BuildBlock[];
  /** What expressions see at the top: var, local, data, path, packer. */
  readonly scope: EvalScope;
}

export interface LoadedTemplate {
  readonly template: Template;
  readonly diagnostics: readonly Diagnostic[];
  /** Texts by file name, for excerpts. */
  readonly sources: ReadonlyMap<string, string>;
}

/** Codes of findings that stand in the way of a build only: `-syntax-only` and `inspect` pass over them, as Packer's do. */
export const NEEDED_TO_BUILD: ReadonlySet<string> = new Set([
  'template/go-template',
  'template/no-builders',
  'template/unset-variable',
  'template/unknown-source',
]);

const TOP = {
  what: 'a template',
  attributes: [],
  blocks: {
    packer: 0,
    variable: 1,
    variables: 0,
    local: 1,
    locals: 0,
    source: 2,
    data: 2,
    build: 0,
    dynamic: 1,
  },
};

/** What `dynamic` blocks at the top may stand for: what comes behind variables, locals and data. */
const MADE = { what: 'a template', attributes: [], blocks: { source: 2, build: 0 } };

/**
 * Reads and evaluates a Packer template (HCL2). What is wrong in it comes back as diagnostics, all at once; throws
 * only where there is nothing at `path`.
 */
export async function loadTemplate(options: LoadOptions): Promise<LoadedTemplate> {
  const diagnostics: Diagnostic[] = [];
  const texts = new Map<string, string>();
  const files = await readTemplateFiles(options.path, options.varFiles ?? [], options.readFile, diagnostics);
  const parse = (file: TemplateFile): HclBody => {
    texts.set(file.name, file.text);
    const parsed = file.name.endsWith('.json')
      ? parseJsonBody(file.text, file.name)
      : parseHcl(file.text, file.name);
    diagnostics.push(...parsed.diagnostics);
    return parsed.body;
  };
  const env = options.env ?? {};
  const now = options.now ?? new Date();
  const secrets = new Map<string, readonly string[]>();
  const services: Services = {
    env,
    unconfigured: options.unconfigured ?? 'error',
    answers: new Map(),
    onSecret: (name, text) => secrets.set(name, [text]),
  };
  const base = baseScope(files.dir, now, services, secrets, options);
  const given = { env, vars: options.vars ?? [], warnUndeclared: options.warnUndeclared ?? true };
  const [first] = files.templates;
  const head: TemplateHead = {
    dir: files.dir,
    files: files.templates.map((file) => file.name),
    digest: digestOf(files.templates.map((file) => [file.name, sha256(file.text)])),
  };
  if (first && isLegacy(first.name)) {
    const template = await legacyTemplate(
      first,
      files.variables,
      head,
      base,
      { ...given, now, root: options.root ?? '.', services },
      texts,
      diagnostics,
    );
    return { template, diagnostics: sortDiagnostics(diagnostics), sources: texts };
  }
  const body = mergeTemplates(files.templates.map(parse), diagnostics);
  const variableFiles = files.variables.map((file) => ({ name: file.name, body: parse(file) }));
  const withEnv: EvalScope = {
    ...base,
    functions: standardFunctions({ dir: files.dir, now, env, services }),
  };
  const packer = readPackerBlocks(body, base, diagnostics);
  const variables = readVariables(body, withEnv, diagnostics);
  const assigned = collectAssignments(variables, { ...given, files: variableFiles }, texts, diagnostics);
  const values = assignVariables(variables, assigned, base, secrets, diagnostics);
  const withVars: EvalScope = {
    ...base,
    variables: new Map([...base.variables, ['var', namespaceOf('variable', values)]]),
  };
  const locals = readLocals(body, withVars, diagnostics);
  const dataSources = readData(body, diagnostics);
  const evaluated = await evaluateNodes(
    locals,
    dataSources,
    withVars,
    secrets,
    options.readData,
    diagnostics,
  );
  const rest = body.blocks.filter((block) => ['source', 'build', 'dynamic'].includes(block.type));
  const made = readDynamicContent(
    { ...body, attributes: new Map(), blocks: rest },
    MADE,
    evaluated.scope,
    diagnostics,
  );
  const sources = readSources(made, diagnostics);
  const loadTime = stringFunctions({ now, root: options.root ?? '.' }, namespaceOf('variable', values));
  const buildScope: EvalScope = {
    ...evaluated.scope,
    pluginStrings: (text, range) => goString(text, range, loadTime),
  };
  const builds = readBuilds(made, sources, buildScope, diagnostics);
  const template: Template = {
    ...head,
    syntax: 'hcl2',
    ...packer,
    variables,
    values,
    locals: locals.map((local) => ({ ...local, value: evaluated.locals.get(local.name) as Value })),
    dataSources,
    sources: [...sources.values()],
    builds,
    scope: evaluated.scope,
  };
  return { template, diagnostics: sortDiagnostics(diagnostics), sources: texts };
}

/** Any file that is not named as HCL2 is: Packer's rule. */
function isLegacy(name: string): boolean {
  return !/\.pkr\.(hcl|json)$/.test(name);
}

async function legacyTemplate(
  file: TemplateFile,
  variableFiles: readonly TemplateFile[],
  head: TemplateHead,
  base: EvalScope,
  given: Omit<LegacyOptions, 'files'>,
  texts: Map<string, string>,
  diagnostics: Diagnostic[],
): Promise<Template> {
  const { loadLegacy, parseLegacyVariables } = await import('../legacy/load-legacy.ts');
  for (const { name, text } of [file, ...variableFiles]) texts.set(name, text);
  const files = variableFiles.map(({ name, text }) => ({
    name,
    body: parseLegacyVariables(text, name, diagnostics),
  }));
  const { variables, build, scope } = loadLegacy(
    file.text,
    file.name,
    base,
    { ...given, files },
    diagnostics,
  );
  return {
    ...head,
    syntax: 'legacy',
    requiredPlugins: [],
    variables: variables.infos,
    values: variables.values,
    locals: [],
    dataSources: [],
    sources: [],
    builds: [build],
    scope,
  };
}

function mergeTemplates(bodies: readonly HclBody[], diagnostics: Diagnostic[]): HclBody {
  return mergeBodies(bodies.map((body) => readContent(body, TOP, diagnostics)));
}

function baseScope(
  dir: string,
  now: Date,
  services: Services,
  secrets: EvalScope['secrets'],
  { root = '.', hmacKey }: LoadOptions,
): EvalScope {
  const variables = new Map([
    [
      'path',
      object(
        new Map([
          ['cwd', string(process.cwd())],
          ['root', string(root)],
        ]),
      ),
    ],
    ['packer', object(new Map([['version', string(PACKER_VERSION)]]))],
  ]);
  return {
    variables,
    functions: standardFunctions({ dir, now, services }),
    elsewhere: ELSEWHERE,
    budget: newBudget(),
    secrets,
    ...(hmacKey && { hmacKey }),
  };
}

/** By place; findings without one first. */
function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const rank = (range: SourceRange | undefined): [string, number] =>
    range ? [range.file, range.start.offset] : ['', 0];
  return [...diagnostics].sort((a, b) => {
    const [fileA, offsetA] = rank(a.range);
    const [fileB, offsetB] = rank(b.range);
    return fileA < fileB ? -1 : fileA > fileB ? 1 : offsetA - offsetB;
  });
}
