import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  type BootedAs,
  checkGoss,
  failureText,
  type FormatOption,
  type GossCheckResult,
  type GossFile,
  type GossSubject,
  type GossTestOptions,
  type ResultGroup,
  type TestResult,
  loadGossFile,
  loadVariables,
  OUTPUTS,
  printGoss,
} from '../checks/goss.ts';
import type { Context } from '../core/context.ts';
import type { Json } from '../core/digest.ts';
import { ExitCode, IngotError } from '../core/error.ts';
import type { TestOutcome } from '../plan/catalog.ts';
import { openDiskImage, type OpenedImage } from './goss-image.ts';
import { recoverAll } from './recover.ts';
import { type Deps, openSession, type Session } from './session.ts';

export interface GossOptions {
  /** Path of a raw or qcow2 disk. */
  readonly image: string;
  readonly file: string;
  readonly vars?: string;
  readonly varsInline?: string;
  readonly format: keyof typeof OUTPUTS;
  readonly formatOptions: readonly FormatOption[];
  readonly color: boolean;
  readonly strict: boolean;
  /** Whether a copy is booted where the disk alone does not tell. */
  readonly boot: boolean;
  /** As what it is booted. */
  readonly machine: BootedAs;
  /** Milliseconds. */
  readonly retryTimeout: number;
  readonly sleep: number;
}

/** `ingot test IMAGE --goss FILE`: what goss would print on the machine, and its exit code. */
export async function testImage(
  o: GossOptions,
  deps: Deps,
): Promise<{ readonly text: string; readonly exitCode: number }> {
  const file = loadGossFile(o.file, {
    vars: loadVariables(o.vars, o.varsInline),
    env: process.env,
  });
  const session = openSession(deps);
  session.addSources(file.sources);
  await recoverAll(session.paths);
  const ctx = contextOf(session);
  const result = await runGoss(file, imagePath(o.image), o, ctx);
  for (const diagnostic of [...file.diagnostics, ...result.diagnostics])
    ctx.emit({ type: 'diagnostic', diagnostic });
  return printGoss(result, o.format, {
    options: o.formatOptions,
    color: o.color,
    now: session.clock.now().getTime(),
  });
}

/** The path of a disk image, which must be there. */
export function imagePath(path: string): string {
  if (existsSync(path)) return path;
  throw new IngotError('goss/no-image', `there is no disk image ${path}`, {
    hint: 'Give the path of a raw or qcow2 disk before --goss.',
    exitCode: ExitCode.Usage,
  });
}

/** A context for work on an image outside of builds. */
export function contextOf(session: Session): Context {
  const { cacheDir } = session.paths;
  return {
    ...session,
    step: 'goss',
    workDir: join(cacheDir, 'tmp'),
    cacheDir,
    epoch: 1,
    templateDir: process.cwd(),
  };
}

/** `test "goss" { … }` of an image file, on the disk that was built. */
export async function testGoss(disk: string, o: GossTestOptions, ctx: Context): Promise<TestOutcome> {
  const path = (name: string): string => resolve(ctx.templateDir, name);
  const file = loadGossFile(path(o.file), {
    vars: loadVariables(o.vars === undefined ? undefined : path(o.vars), o.vars_inline),
    env: process.env,
  });
  const result = await runGoss(
    file,
    disk,
    {
      strict: o.strict,
      boot: o.boot,
      machine: o.machine as BootedAs,
      retryTimeout: o.retry_timeout,
      sleep: o.sleep,
    },
    ctx,
  );
  for (const diagnostic of [...file.diagnostics, ...result.diagnostics])
    ctx.emit({ type: 'diagnostic', diagnostic });
  const skipped = result.groups.flatMap(skippedIn);
  const errors = result.diagnostics.filter((d) => d.severity === 'error');
  return {
    passed: result.passed,
    checks: [
      ...result.groups.flat().flatMap((r) =>
        r.outcome === 'skip'
          ? []
          : [
              {
                name: checkName(r),
                passed: r.outcome === 'pass',
                ...(r.outcome === 'fail' && { message: failureText(r) }),
                seconds: (r.end - r.start) / 1000,
              },
            ],
      ),
      ...errors.map((d) => ({ name: d.code, passed: false, message: d.message })),
    ],
    ...(skipped.length > 0 && { skipped }),
    data: dataOf(result),
  };
}

function checkName({ resourceType, resourceId, property }: TestResult): string {
  return `${resourceType}: ${resourceId}: ${property}`;
}

/** What a resource's checks left out, and why: the file says so, only another place tells, or the thing is not there. */
function skippedIn(group: ResultGroup): { name: string; reason: string }[] {
  const [first] = group;
  return group
    .filter((r) => r.outcome === 'skip')
    .map((r) => ({
      name: checkName(r),
      reason:
        r.elsewhere ?? (first?.outcome === 'skip' ? 'the goss file says skip' : `${first?.property} failed`),
    }));
}

async function runGoss(
  file: GossFile,
  disk: string,
  o: Pick<GossOptions, 'strict' | 'boot' | 'machine' | 'retryTimeout' | 'sleep'>,
  ctx: Context,
): Promise<GossCheckResult> {
  await using image = await openDiskImage(disk, ctx);
  return await checkGoss(file, subjectOf(image, o), o, ctx);
}

/** What goss looks at of an open image. */
export function subjectOf(image: OpenedImage, o: Pick<GossOptions, 'boot' | 'machine'>): GossSubject {
  const { machine: bootedAs } = o;
  return { root: image.root, bootedAs, ...(o.boot && { boot: () => image.boot(bootedAs) }) };
}

/** What is stored as evidence: goss's own JSON, and where each check was decided. */
function dataOf(result: GossCheckResult): Json {
  const { text } = OUTPUTS.json(result.groups, { options: [], color: false, now: 0 });
  return { targets: result.sorted, report: JSON.parse(text) } as unknown as Json;
}
