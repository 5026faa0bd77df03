import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Diagnostic, hasErrors } from '../core/diagnostic.ts';
import { DiagnosticsError, ExitCode } from '../core/error.ts';
import type { Lock } from '../core/lock.ts';
import type { Engine, PinContext } from '../core/plugin.ts';
import { buildPlan } from '../plan/build-plan.ts';
import { checkTemplate } from '../plan/check-template.ts';
import type { Catalog } from '../plan/catalog.ts';
import { formatLock, LOCK_FILE, readLock } from '../plan/lock-file.ts';
import type { PlanRequest } from '../plan/plan-request.ts';
import type { GitFacts } from '../plan/stamp.ts';
import type { Plan } from '../plan/types.ts';
import { type HclBody, type LoadOptions, loadTemplate, mergeBodies, parseHcl } from '../template/index.ts';
import { readGit } from './git.ts';
import { dataReader } from './read-data.ts';
import { hmacKey, type Session } from './session.ts';
import { placeOf } from './template-place.ts';

/** What every verb that reads a template takes. */
export interface TemplateOptions {
  /** Template file or folder; `-`: the text that `stdin` answers. */
  readonly path: string;
  readonly stdin?: () => Promise<string>;
  /** `name=value`. */
  readonly vars?: readonly string[];
  readonly varFiles?: readonly string[];
  readonly only?: readonly string[];
  readonly except?: readonly string[];
  /** Image file; by default every `*.ingot.hcl` beside the template. */
  readonly imageFile?: string;
  /** Warn about variables in files that the template does not declare; default true. */
  readonly warnUndeclared?: boolean;
}

export interface PlanningOptions extends TemplateOptions {
  readonly mode: PinContext['mode'];
  /** False leaves what data sources answer unknown; default true. */
  readonly askData?: boolean;
  readonly outputDir?: string;
  readonly engine?: Engine;
  /** Nothing is built: what a service that is not configured would say may stay unknown, and so may component types. */
  readonly validating?: boolean;
  /** The plan will be run, not shown. */
  readonly toRun?: boolean;
}

/** What was read from disk; `request` is absent where it can't be planned. */
export interface Loaded {
  readonly request: PlanRequest | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Texts by file name, for excerpts. */
  readonly sources: ReadonlyMap<string, string>;
  readonly lock: Lock;
  readonly lockPath: string;
  /** The lock's text as it was before planning. */
  readonly lockText: string;
  readonly templateDir: string;
}

/** A template, planned; what the build then runs. */
export interface Planned extends Omit<Loaded, 'request'> {
  readonly plan: Plan | undefined;
}

/** Reads template, image file, lock and git. Everything found wrong is in `diagnostics`. */
export async function load(options: PlanningOptions, catalog: Catalog, session: Session): Promise<Loaded> {
  const place = await placeOf(options.path, options.imageFile);
  const context = {
    signal: session.signal,
    emit: session.emit,
    host: session.host,
    clock: session.clock,
    secrets: session.secrets,
    workDir: join(session.paths.cacheDir, 'tmp'),
    cacheDir: session.paths.cacheDir,
    templateDir: place.baseDir,
  };
  const loaded = await loadTemplate({
    ...templateInputs(options, place.root),
    hmacKey: hmacKey(session.paths),
    unconfigured: options.validating ? 'unknown' : 'error',
    ...(options.askData !== false && { readData: dataReader(catalog, context) }),
  });
  const sources = new Map(loaded.sources);
  const diagnostics: Diagnostic[] = [...loaded.diagnostics];
  const { template } = loaded;
  const lockPath = join(template.dir, LOCK_FILE);
  const imageFile = await readImageFiles(place.imageFiles, sources, diagnostics);
  session.addSources(sources);
  const lock = await readLock(lockPath);
  const lockText = formatLock(lock);
  const common = { diagnostics, sources, lock, lockPath, lockText, templateDir: place.baseDir };
  if (diagnostics.some(({ severity, code }) => severity === 'error' && !IN_BODIES.has(code)))
    return { ...common, request: undefined };
  let git: Promise<GitFacts> | undefined;
  const request: PlanRequest = {
    template,
    ...(imageFile && { imageFile }),
    catalog,
    lock,
    mode: options.mode,
    missing: options.validating ? 'warn' : 'refuse',
    toRun: options.toRun ?? false,
    git: () => (git ??= readGit(session.host, template.dir)),
    only: options.only ?? [],
    except: options.except ?? [],
    ...(options.engine && { engine: options.engine }),
    ...(options.outputDir !== undefined && { outputDir: options.outputDir }),
    context,
  };
  return { ...common, request };
}

/** Errors of the template that leave the bodies of its blocks as they are: those are checked in the same go. */
const IN_BODIES: ReadonlySet<string> = new Set(['template/unset-variable', 'template/undeclared-variable']);

/** What evaluating a template takes from the command line and the environment. */
export function templateInputs(options: TemplateOptions, root: string): LoadOptions {
  const { path, vars, varFiles, stdin, warnUndeclared } = options;
  return {
    path,
    env: process.env,
    root,
    ...(vars && { vars }),
    ...(varFiles && { varFiles }),
    ...(warnUndeclared !== undefined && { warnUndeclared }),
    ...(stdin && {
      readFile: async (file) =>
        file === path && file.startsWith('-') ? Buffer.from(await stdin()) : await readFile(file),
    }),
  };
}

/** Loads and plans; pins inputs as `mode` says. */
export async function loadPlan(
  options: PlanningOptions,
  catalog: Catalog,
  session: Session,
): Promise<Planned> {
  const { request, ...loaded } = await load(options, catalog, session);
  if (!request) return { ...loaded, plan: undefined };
  if (hasErrors(loaded.diagnostics)) {
    const { diagnostics } = await checkTemplate(request);
    return { ...loaded, plan: undefined, diagnostics: [...loaded.diagnostics, ...diagnostics] };
  }
  const { plan, diagnostics } = await buildPlan(request);
  return { ...loaded, plan, diagnostics: [...loaded.diagnostics, ...diagnostics] };
}

/** The plan, or all diagnostics as one error; warnings go out as events. */
export function planOrThrow(planned: Planned, session: Session): Plan {
  if (!planned.plan) return throwDiagnostics(planned);
  for (const diagnostic of planned.diagnostics) session.emit({ type: 'diagnostic', diagnostic });
  return planned.plan;
}

/** Ends a command with all that was found. */
export function throwDiagnostics(found: Pick<Loaded, 'diagnostics' | 'sources'>): never {
  throw new DiagnosticsError(found.diagnostics, exitCodeOf(found.diagnostics), found.sources);
}

/** A wrong image file alone is wrong usage (2); a wrong template is Packer's 1. */
function exitCodeOf(diagnostics: readonly Diagnostic[]): ExitCode {
  const errors = diagnostics.filter((d) => d.severity === 'error');
  return errors.every((d) => d.range?.file.endsWith('.ingot.hcl')) ? ExitCode.Usage : ExitCode.Failed;
}

async function readImageFiles(
  paths: readonly string[],
  sources: Map<string, string>,
  diagnostics: Diagnostic[],
): Promise<HclBody | undefined> {
  const bodies: HclBody[] = [];
  for (const path of paths) {
    const text = await readFile(path, 'utf8');
    const name = basename(path);
    sources.set(name, text);
    const parsed = parseHcl(text, name);
    diagnostics.push(...parsed.diagnostics);
    bodies.push(parsed.body);
  }
  return bodies.length === 0 ? undefined : mergeBodies(bodies);
}
