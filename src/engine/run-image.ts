import type { Digest, Json } from '../core/digest.ts';
import { note } from '../core/context.ts';
import { asIngotError, IngotError } from '../core/error.ts';
import type { Layer } from '../core/layer.ts';
import type { ImagePlan, PlannedStep } from '../plan/types.ts';
import { runArtifact, runPostProcessor, runRelease } from './end-steps.ts';
import { contextOf, type EngineEnvironment } from './environment.ts';
import { runDisk, runTest, tellChecks } from './file-steps.ts';
import { provision, runOffline, runProvisioner, runShutdown, runSource } from './filesystem-steps.ts';
import { ImageState } from './image-state.ts';
import { describeLate } from './late-files.ts';
import { untilAborted } from './flights.ts';
import { wholeLayers } from './resolve.ts';
import { runAllOutputs } from './write-outputs.ts';
import { recordOf } from './record.ts';
import { type ImageReport, reportOf } from './report.ts';
import { Scope } from '../core/scope.ts';
import { type Job, runJobs } from './schedule.ts';
import { endStep, runStep, type StepEnd } from './step-runner.ts';

/** Steps that run at once: outputs and tests mostly wait for a disk or a compressor of their own. */
const AT_ONCE = 3;

/**
 * Builds one image: what the cache holds is taken from it, everything else runs in the order of the plan, steps
 * that don't need each other side by side. Throws the first error of a step; a failed test or an unwanted
 * verdict is no error: it is in the report, and what stands on it is skipped.
 */
export async function runImage(image: ImagePlan, outer: EngineEnvironment): Promise<ImageReport> {
  const stop = new AbortController();
  const env: EngineEnvironment = { ...outer, signal: AbortSignal.any([outer.signal, stop.signal]) };
  const state = new ImageState(image, env);
  env.emit({
    type: 'build:start',
    image: image.name,
    version: image.version,
    steps: image.steps.map((s) => ({ step: s.label, kind: s.spec.kind })),
  });
  let status: 'done' | 'failed' = 'failed';
  try {
    await using _slot = state.slot;
    await using _raw = state.rawDisks;
    await using _ahead = state.ahead;
    // Before they are looked for: what is found must not go while it is used.
    await using leases = new Scope();
    leases.use(await env.cache.lease(image.steps.map((s) => s.id)), 'lease of the layers');
    const ok = await runStages(state, leases, () => stop.abort(new Error('another step has failed')));
    const artifacts = ok || state.failures.length > 0 ? await state.artifacts.settle() : [];
    if (ok)
      for (const artifact of artifacts) env.emit({ type: 'build:artifact', image: image.name, artifact });
    throwAll(state.failures);
    status = ok ? 'done' : 'failed';
    env.onRecord?.(recordOf(state));
    return reportOf(state, status, artifacts, state.seconds());
  } catch (error) {
    // Also where all was done, and something could not be given back.
    status = 'failed';
    env.onRecord?.(recordOf(state, asIngotError(error)));
    throw error;
  } finally {
    env.emit({ type: 'build:end', image: image.name, status, seconds: state.seconds() });
  }
}

/**
 * All jobs. Where a step reads files that the build makes or changes, it and what stands on it are known only when those before
 * it have ended: a stage for each.
 */
async function runStages(state: ImageState, leases: Scope, onThrow: () => void): Promise<boolean> {
  const run = async (steps: readonly PlannedStep[]): Promise<boolean> => {
    await state.resolve(steps);
    const left = steps.filter((s) => !state.ended.has(s.label));
    return await runJobs(jobsOf(left, state), AT_ONCE, onThrow);
  };
  const late = state.image.steps.filter((s) => s.late && s.cacheable).map((s) => s.label);
  for (const label of late) {
    const at = state.image.steps.findIndex((s) => s.label === label);
    const before = state.image.steps.slice(0, at);
    const isAwaited = before.some((s) => !s.cacheable && !state.ended.has(s.label));
    if (isAwaited && !(await run(before))) return false;
    await describeLate(state.image.steps[at] as PlannedStep, state, leases);
  }
  return await run(state.image.steps);
}

/** A job a step; the outputs are one job, since they share a reading of the disk. */
function jobsOf(steps: readonly PlannedStep[], state: ImageState): Job[] {
  const outputs = steps.filter((s) => s.spec.kind === 'output');
  const jobs = steps
    .filter((s) => s.spec.kind !== 'output')
    .map((step) =>
      jobOf([step], state, () =>
        step.spec.kind === 'post-processor' ? runInChain(step, state) : runOne(step, state),
      ),
    );
  if (outputs.length > 0) jobs.push(jobOf(outputs, state, () => runAllOutputs(outputs, state)));
  return jobs;
}

function jobOf(steps: readonly PlannedStep[], state: ImageState, run: () => Promise<boolean>): Job {
  const inputs = steps.flatMap((s) => s.spec.inputs);
  const others = new Set(steps.flatMap((s) => onlyAwaited(s, state)));
  return {
    provides: steps.map((s) => s.id),
    needs: [...inputs.filter((id) => !others.has(id)), ...steps.flatMap((s) => s.after)],
    after: inputs.filter((id) => others.has(id)),
    run,
    skip: () => {
      for (const step of steps) endStep(step, state, state.toRun.has(step.id) ? 'skipped' : 'cached', 0);
    },
  };
}

async function runOne(step: PlannedStep, state: ImageState): Promise<boolean> {
  if (!state.toRun.has(step.id)) {
    const outcome = state.tests.get(step.id);
    if (outcome) tellChecks(step, outcome, state, true);
    endStep(step, state, 'cached', 0, summaryOf(state.resultOf(step)));
    return true;
  }
  const run = (): Promise<boolean> => runStep(step, state, () => execute(step, state));
  if (!leavesLayer(step, state)) return await run();
  const { flights, signal } = state.env;
  const began = performance.now();
  for (;;) {
    const flight = flights.running(step.id);
    if (flight) {
      note(contextOf(state, step), `${step.title} waits: another build makes it`);
      await untilAborted(flight, signal);
    } else if (!flights.made(step.id)) {
      return await flights.make(step.id, run);
    } else if (await take(step, state)) {
      const seconds = (performance.now() - began) / 1000;
      endStep(step, state, 'cached', seconds, summaryOf(state.resultOf(step)));
      return true;
    } else {
      flights.lost(step.id);
    }
  }
}

/** Steps that builds of one run may have in common. */
function leavesLayer(step: PlannedStep, { image }: ImageState): boolean {
  const kinds = ['source', 'provisioner', 'shutdown', 'boot-config', 'first-boot'];
  return step.cacheable && image.produces === 'rootfs' && kinds.includes(step.spec.kind);
}

/** The layer of a step, and those below; false where one of them is gone. */
async function take(step: PlannedStep, state: ImageState): Promise<boolean> {
  const layers = await wholeLayers(state.env.cache, step.id);
  for (const layer of layers ?? []) state.layers.set(layer.id, layer);
  if (layers) state.toRun.delete(step.id);
  return layers !== undefined;
}

/**
 * What a step waits for and needs not to have succeeded: of a post-processor those of other chains; of a test other
 * tests, about which it tells all at once.
 */
function onlyAwaited(step: PlannedStep, state: ImageState): readonly Digest[] {
  if (step.spec.kind === 'test') return state.stepsOf('test').map((s) => s.id);
  if (step.spec.kind !== 'post-processor') return [];
  return state
    .stepsOf('post-processor')
    .filter((s) => s.chain?.index !== step.chain?.index)
    .map((s) => s.id);
}

/** A post-processor; its error ends its chain, and the build when the other chains have ended, as in Packer. */
async function runInChain(step: PlannedStep, state: ImageState): Promise<boolean> {
  try {
    return await runOne(step, state);
  } catch (error) {
    if (state.env.signal.aborted || state.left) throw error;
    state.artifacts.failed(step);
    state.failures.push(error);
    return false;
  }
}

function throwAll(failures: readonly unknown[]): void {
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, 'several post-processors failed');
}

async function execute(step: PlannedStep, state: ImageState): Promise<StepEnd> {
  const { slot, image } = state;
  switch (step.spec.kind) {
    case 'source':
      if (image.produces === 'files') {
        await slot.first(contextOf(state, step));
        return { ok: true };
      }
      return await runFirst(step, state);
    case 'provisioner': {
      if (step.cacheable)
        return keep(step, await runProvisioner(step, state.chainBelow(step), slot, state), state);
      const machine =
        image.produces === 'files'
          ? slot.running()
          : await slot.on(state.chainBelow(step), contextOf(state, step));
      const result = await provision(step, machine, state);
      state.keepResult(step, result as Json);
      const { summary } = result;
      return { ok: true, ...(summary !== undefined && { detail: summary }) };
    }
    case 'shutdown':
      return keep(step, await runShutdown(step, state.chainBelow(step), slot, state), state);
    case 'artifact':
      return await runArtifact(state);
    case 'boot-config':
    case 'first-boot':
    case 'stamp':
    case 'seal':
      // The machine's work is done: end it before its layers are read by others.
      await slot.reset();
      if (step.spec.kind === 'seal') await state.ahead.ended();
      return keep(step, await runOffline(step, state.chainBelow(step), state), state);
    case 'disk':
      return keep(step, await runDisk(step, state.chainBelow(step), state), state);
    case 'test':
      return await runTestStep(step, state);
    case 'post-processor':
      return await runPostProcessor(step, state);
    case 'release':
      return await runRelease(step, state);
    case 'output':
      throw new IngotError('internal/unexpected', 'outputs run together');
  }
}

async function runFirst(step: PlannedStep, state: ImageState): Promise<StepEnd> {
  const seal = state.stepsOf('seal').find(({ id }) => state.toRun.has(id));
  const { layer, foundation } = await runSource(step, state.slot, state, (chain) => {
    if (seal) state.ahead.begin(chain, seal.options, contextOf(state, seal));
  });
  for (const below of foundation) state.layers.set(below.id, below);
  return keep(step, layer, state);
}

function keep(step: PlannedStep, layer: Layer, state: ImageState): StepEnd {
  state.layers.set(step.id, layer);
  const detail = summaryOf(layer.result);
  return { ok: true, ...(detail !== undefined && { detail }) };
}

async function runTestStep(step: PlannedStep, state: ImageState): Promise<StepEnd> {
  const subject = { ...state.subject(step), tests: state.testsBelow(step) };
  const { outcome, layer } = await runTest(step, subject, state);
  state.tests.set(step.id, outcome);
  if (layer) state.layers.set(step.id, layer);
  const failed = outcome.checks.filter((c) => !c.passed).map((c) => c.name);
  return {
    ok: outcome.passed,
    detail: outcome.passed ? `${outcome.checks.length} checks passed` : `failed: ${failed.join(', ')}`,
  };
}

function summaryOf(result: Json | undefined): string | undefined {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return undefined;
  const { summary } = result as { summary?: Json };
  return typeof summary === 'string' ? summary : undefined;
}
