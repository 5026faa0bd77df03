import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Diagnostic, hasErrors } from '../core/diagnostic.ts';
import { DiagnosticsError, ExitCode } from '../core/error.ts';
import type { Lock } from '../core/lock.ts';
import type { PinContext } from '../core/plugin.ts';
import { buildPlan, type PlanRequest } from '../plan/build-plan.ts';
import type { Catalog } from '../plan/catalog.ts';
import { formatLock, LOCK_FILE, readLock } from '../plan/lock-file.ts';
import type { Plan } from '../plan/types.ts';
import { type HclBody, loadTemplate, mergeBodies, parseHcl } from '../template/index.ts';
import { readGit } from './git.ts';
import { hmacKey, type Session } from './session.ts';

/** What every verb that reads a template takes. */
export interface TemplateOptions {
  /** Template file or folder. */
  readonly path: string;
  /** `name=value`. */
  readonly vars?: readonly string[];
  readonly varFiles?: readonly string[];
  readonly only?: readonly string[];
  readonly except?: readonly string[];
  /** Image file; by default every `*.ingot.hcl` beside the template. */
  readonly imageFile?: string;
}

export interface PlanningOptions extends TemplateOptions {
  readonly mode: PinContext['mode'];
  readonly outputDir?: string;
  /** Nothing is built: what a service that is not configured would say may stay unknown. */
  readonly validating?: boolean;
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
  const loaded = await loadTemplate({
    path: options.path,
    env: process.env,
    hmacKey: hmacKey(session.paths),
    unconfigured: options.validating ? 'unknown' : 'error',
    ...(options.vars && { vars: options.vars }),
    ...(options.varFiles && { varFiles: options.varFiles }),
  });
  const sources = new Map(loaded.sources);
  const diagnostics: Diagnostic[] = [...loaded.diagnostics];
  const { template } = loaded;
  const templateDir = template.dir;
  const lockPath = join(templateDir, LOCK_FILE);
  const imageFile = await readImageFiles(options, templateDir, sources, diagnostics);
  const lock = await readLock(lockPath);
  const common = { diagnostics, sources, lock, lockPath, lockText: formatLock(lock), templateDir };
  if (hasErrors(diagnostics)) return { ...common, request: undefined };
  const request: PlanRequest = {
    template,
    ...(imageFile && { imageFile }),
    catalog,
    lock,
    mode: options.mode,
    git: await readGit(session.host, templateDir),
    only: options.only ?? [],
    except: options.except ?? [],
    ...(options.outputDir !== undefined && { outputDir: options.outputDir }),
    context: {
      signal: session.signal,
      emit: session.emit,
      host: session.host,
      clock: session.clock,
      secrets: session.secrets,
      workDir: join(session.paths.cacheDir, 'tmp'),
      cacheDir: session.paths.cacheDir,
      templateDir,
    },
  };
  return { ...common, request };
}

/** Loads and plans; pins inputs as `mode` says. */
export async function loadPlan(
  options: PlanningOptions,
  catalog: Catalog,
  session: Session,
): Promise<Planned> {
  const { request, ...loaded } = await load(options, catalog, session);
  if (!request) return { ...loaded, plan: undefined };
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
  options: TemplateOptions,
  templateDir: string,
  sources: Map<string, string>,
  diagnostics: Diagnostic[],
): Promise<HclBody | undefined> {
  const paths =
    options.imageFile === undefined ? await imageFilesFor(options.path, templateDir) : [options.imageFile];
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

/** For a folder all of its image files; for one template `web.pkr.hcl` only `web.ingot.hcl`, where it is. */
async function imageFilesFor(path: string, templateDir: string): Promise<string[]> {
  const isFolder = (await stat(resolve(path))).isDirectory();
  const names = (await readdir(templateDir)).filter((n) => n.endsWith('.ingot.hcl')).sort();
  const own = basename(path).replace(/\.pkr\.(hcl|json)$/, '.ingot.hcl');
  return (isFolder ? names : names.filter((n) => n === own)).map((n) =>
    join(isFolder ? templateDir : dirname(resolve(path)), n),
  );
}
