import type { Artifact } from '../core/artifact.ts';
import type { Digest, Json } from '../core/digest.ts';
import { asIngotError, IngotError } from '../core/error.ts';
import type { StepStatus } from '../core/event.ts';
import { type Layer, type LayerChain, layerFile } from '../core/layer.ts';
import type { ReleaseStepOptions, TestOutcome } from '../plan/catalog.ts';
import type { ImagePlan, PlannedStep } from '../plan/types.ts';
import {
  contextOf,
  type EngineEnvironment,
  type ImageRun,
  type OutputRecord,
  type ReleaseRecord,
} from './environment.ts';
import { runDisk, runOutputs, runTest } from './file-steps.ts';
import { provision, runOffline, runProvisioner, runSource } from './filesystem-steps.ts';
import { MachineSlot } from './machine-slot.ts';
import { placeOutput } from './place-outputs.ts';
import type { ImageReport, OutputReport } from './report.ts';
import { resolveCache } from './resolve.ts';
import { type Job, runJobs } from './schedule.ts';

/** Steps that run at once: outputs and tests mostly wait for a disk or a compressor of their own. */
const AT_ONCE = 3;

/**
 * Builds one image: what the cache holds is taken from it, everything else runs in the order of the plan, steps
 * that don't need each other side by side. Throws the first error of a step; a failed test or an unwanted
 * verdict is no error: it is in the report, and what stands on it is skipped.
 */
export async function runImage(image: ImagePlan, outer: EngineEnvironment): Promise<ImageReport> {
  const began = performance.now();
  const stop = new AbortController();
  const env: EngineEnvironment = { ...outer, signal: AbortSignal.any([outer.signal, stop.signal]) };
  const build = new ImageBuild(image, env);
  env.emit({
    type: 'build:start',
    image: image.name,
    version: image.version,
    steps: image.steps.map((s) => ({ step: s.label, kind: s.spec.kind })),
  });
  let status: 'done' | 'failed' = 'failed';
  try {
    await using _slot = build.slot;
    await build.resolve();
    await using _lease = await env.cache.lease(image.steps.map((s) => s.id));
    const ok = await runJobs(build.jobs(), AT_ONCE, () => stop.abort(new Error('another step has failed')));
    status = ok ? 'done' : 'failed';
    return build.report(status, (performance.now() - began) / 1000);
  } finally {
    env.emit({ type: 'build:end', image: image.name, status, seconds: (performance.now() - began) / 1000 });
  }
}

/** One image under way: what its steps have left behind so far. */
class ImageBuild {
  readonly slot: MachineSlot;
  readonly #run: ImageRun;
  readonly #layers = new Map<Digest, Layer>();
  readonly #byId: ReadonlyMap<Digest, PlannedStep>;
  readonly #toRun = new Set<Digest>();
  readonly #outputs: OutputReport[] = [];
  readonly #tests = new Map<Digest, TestOutcome>();
  #release: ReleaseRecord | undefined;
  #artifact: Artifact | undefined;
  #ran = 0;

  constructor(image: ImagePlan, env: EngineEnvironment) {
    this.#run = { image, env };
    this.#byId = new Map(image.steps.map((s) => [s.id, s]));
    const first = image.steps.find((s) => s.spec.kind === 'source');
    const source = first && env.rooms.sources.get(first.spec.type);
    if (!first || !source)
      throw new IngotError('internal/unexpected', `the plan of ${image.name} has no source`);
    this.slot = new MachineSlot(source, first.options);
  }

  async resolve(): Promise<void> {
    const { env, image } = this.#run;
    const { hits, toRun } = await resolveCache(image.steps, env.cache, env.force);
    for (const [id, layer] of hits) {
      this.#layers.set(id, layer);
      const step = this.#byId.get(id);
      if (step?.spec.kind === 'test') this.#tests.set(id, layer.result as unknown as TestOutcome);
    }
    for (const id of toRun) this.#toRun.add(id);
  }

  jobs(): Job[] {
    const { steps } = this.#run.image;
    const outputs = steps.filter((s) => s.spec.kind === 'output');
    const jobs: Job[] = [];
    for (const step of steps) {
      if (step.spec.kind === 'output') continue;
      jobs.push(this.#job([step], () => this.#one(step)));
    }
    if (outputs.length > 0) jobs.push(this.#job(outputs, () => this.#allOutputs(outputs)));
    return jobs;
  }

  #job(steps: readonly PlannedStep[], work: () => Promise<boolean>): Job {
    return {
      provides: steps.map((s) => s.id),
      needs: steps.flatMap((s) => [...s.spec.inputs, ...s.after]),
      run: work,
      skip: () => {
        for (const step of steps) this.#end(step, this.#toRun.has(step.id) ? 'skipped' : 'cached', 0);
      },
    };
  }

  async #one(step: PlannedStep): Promise<boolean> {
    if (!this.#toRun.has(step.id)) {
      this.#end(step, 'cached', 0, summaryOf(this.#layers.get(step.id)?.result));
      return true;
    }
    return await this.#timed(step, () => this.#execute(step));
  }

  /** Runs a step between its start and end events; on failure asks what to do. */
  async #timed(
    step: PlannedStep,
    work: () => Promise<{ ok: boolean; status?: StepStatus; detail?: string }>,
  ): Promise<boolean> {
    const { env } = this.#run;
    for (;;) {
      env.signal.throwIfAborted();
      const began = performance.now();
      const seconds = (): number => (performance.now() - began) / 1000;
      env.emit({
        type: 'step:start',
        step: step.label,
        kind: step.spec.kind,
        id: step.id,
        title: step.title,
      });
      try {
        const { ok, status, detail } = await work();
        if (status !== 'cached') this.#ran++;
        this.#end(step, ok ? (status ?? 'done') : 'failed', seconds(), detail);
        return ok;
      } catch (thrown) {
        if (env.signal.aborted) {
          this.#end(step, 'cancelled', seconds());
          throw thrown;
        }
        const error = asIngotError(thrown).at({
          step: step.label,
          ...(step.origin && { range: step.origin }),
        });
        this.#end(step, 'failed', seconds(), error.message);
        if ((await this.#answerFailure(step, error)) === 'retry') continue;
        throw error;
      }
    }
  }

  async #answerFailure(step: PlannedStep, error: IngotError): Promise<'cleanup' | 'retry' | 'abort'> {
    const { env, image } = this.#run;
    const answer = await env.onFailure(step, error);
    if (answer === 'abort') {
      this.slot.abandon();
    } else if (answer === 'retry') {
      await this.slot.reset();
    } else if (step.spec.kind === 'provisioner' && image.errorCleanup && this.slot.current) {
      await this.#cleanUpAfter(image.errorCleanup);
    }
    return answer;
  }

  /** The error-cleanup provisioner; that it fails too is told, and the first error stands. */
  async #cleanUpAfter(step: PlannedStep): Promise<void> {
    const { env } = this.#run;
    const machine = this.slot.current;
    if (!machine) return;
    try {
      await provision(step, machine, this.#run);
    } catch (thrown) {
      const diagnostic = {
        ...asIngotError(thrown).at({ step: step.label }).toDiagnostic(),
        severity: 'warning' as const,
      };
      env.emit({ type: 'diagnostic', diagnostic });
    }
  }

  async #execute(step: PlannedStep): Promise<{ ok: boolean; status?: StepStatus; detail?: string }> {
    const run = this.#run;
    switch (step.spec.kind) {
      case 'source':
        return this.#keep(step, await runSource(step, this.slot, run));
      case 'provisioner': {
        if (!step.cacheable) {
          const machine = await this.slot.on(this.#chainBelow(step), contextOf(run, step));
          const result = await provision(step, machine, run);
          return { ok: true, ...(result.summary !== undefined && { detail: result.summary }) };
        }
        return this.#keep(step, await runProvisioner(step, this.#chainBelow(step), this.slot, run));
      }
      case 'boot-config':
      case 'stamp':
      case 'seal':
        // The machine's work is done: end it before its layers are read by others.
        await this.slot.reset();
        return this.#keep(step, await runOffline(step, this.#chainBelow(step), run));
      case 'disk':
        return this.#keep(step, await runDisk(step, this.#chainBelow(step), run));
      case 'test':
        return await this.#test(step);
      case 'post-processor':
        return await this.#postProcess(step);
      case 'release':
        return await this.#publish(step);
      case 'output':
        throw new IngotError('internal/unexpected', 'outputs run together');
    }
  }

  #keep(step: PlannedStep, layer: Layer): { ok: boolean; detail?: string } {
    this.#layers.set(step.id, layer);
    const detail = summaryOf(layer.result);
    return { ok: true, ...(detail !== undefined && { detail }) };
  }

  async #test(step: PlannedStep): Promise<{ ok: boolean; detail?: string }> {
    const { outcome, layer } = await runTest(step, this.#subject(step), this.#run);
    this.#tests.set(step.id, outcome);
    if (layer) this.#layers.set(step.id, layer);
    const failed = outcome.checks.filter((c) => !c.passed).map((c) => c.name);
    return {
      ok: outcome.passed,
      detail: outcome.passed ? `${outcome.checks.length} checks passed` : `failed: ${failed.join(', ')}`,
    };
  }

  async #allOutputs(steps: readonly PlannedStep[]): Promise<boolean> {
    const missing = steps.filter((s) => this.#toRun.has(s.id));
    for (const step of steps) if (!missing.includes(step)) this.#end(step, 'cached', 0);
    const [first, ...others] = missing;
    if (first) {
      const { env } = this.#run;
      for (const step of others)
        env.emit({
          type: 'step:start',
          step: step.label,
          kind: step.spec.kind,
          id: step.id,
          title: step.title,
        });
      const began = performance.now();
      let ok = false;
      try {
        ok = await this.#timed(first, async () => {
          const subjects = missing.map((s) => this.#subject(s));
          const disk = subjects.find((s) => s.disk)?.disk;
          const chain = subjects.find((s) => s.chain)?.chain;
          const layers = await runOutputs(
            missing,
            { ...(disk && { disk }), ...(chain && { chain }) },
            this.#run,
          );
          for (const [i, step] of missing.entries()) this.#layers.set(step.id, layers[i] as Layer);
          return { ok: true };
        });
      } finally {
        for (const step of others)
          this.#end(step, ok ? 'done' : 'failed', (performance.now() - began) / 1000);
      }
      this.#ran += others.length;
      if (!ok) return false;
    }
    for (const step of steps) await this.#place(step);
    return true;
  }

  async #place(step: PlannedStep): Promise<void> {
    const { env, image } = this.#run;
    const layer = this.#layers.get(step.id) as Layer;
    const record = layer.result as unknown as OutputRecord;
    const path = await placeOutput(
      layerFile(layer, record.fileName),
      image.outputDir,
      record.fileName,
      contextOf(this.#run, step),
    );
    this.#outputs.push({ format: record.format, path, digest: record.digest, size: record.size });
    env.emit({
      type: 'artifact',
      step: step.label,
      name: image.name,
      format: record.format,
      path,
      digest: record.digest,
      size: record.size,
    });
  }

  async #postProcess(step: PlannedStep): Promise<{ ok: boolean; detail: string }> {
    const processor = this.#run.env.rooms.postProcessors.get(step.spec.type);
    if (!processor)
      throw new IngotError(
        'internal/unexpected',
        `the plan names an unknown post-processor ${step.spec.type}`,
      );
    const options = step.resolve ? step.resolve(new Map()) : step.options;
    const { artifact } = await processor.process(
      this.#currentArtifact(),
      options as never,
      contextOf(this.#run, step),
    );
    this.#artifact = artifact;
    return { ok: true, detail: artifact.description };
  }

  #currentArtifact(): Artifact {
    const { image } = this.#run;
    return (
      this.#artifact ?? {
        builderId: `ingot.${image.build.split('.').at(-2)}`,
        id: `${image.name}@${image.version}`,
        files: this.#outputs.map((o) => o.path),
        description: `${image.name} ${image.version}: ${this.#outputs.map((o) => o.format).join(', ')}`,
      }
    );
  }

  async #publish(step: PlannedStep): Promise<{ ok: boolean; status: StepStatus; detail: string }> {
    const { env, image } = this.#run;
    const outputs = this.#stepsOf('output').map((s) => {
      const layer = this.#layers.get(s.id) as Layer;
      const record = layer.result as unknown as OutputRecord;
      return { ...record, path: layerFile(layer, record.fileName) };
    });
    const evidence = this.#stepsOf('test').map((s) => ({
      name: s.spec.type,
      outcome: this.#tests.get(s.id) as unknown as Json,
    }));
    const release = await env.rooms.release(
      { options: step.options as ReleaseStepOptions, outputs, evidence },
      contextOf(this.#run, step),
    );
    this.#release = release;
    env.emit({
      type: 'release',
      name: image.name,
      version: image.version,
      digest: release.digest,
      store: release.store,
    });
    return {
      ok: true,
      status: release.existed ? 'cached' : 'done',
      detail: `${image.name}@${image.version} in ${release.store}`,
    };
  }

  /** What a step's input is: the raw disk, or the chain of the filesystem. */
  #subject(step: PlannedStep): { disk?: Layer; chain?: LayerChain } {
    for (const id of step.spec.inputs) {
      const input = this.#byId.get(id);
      if (input?.spec.kind === 'disk') return { disk: this.#layers.get(id) as Layer };
    }
    return { chain: this.#chainBelow(step) };
  }

  /** All layers below a step, lowest first. */
  #chainBelow(step: PlannedStep): LayerChain {
    const chain: Layer[] = [];
    for (let id = step.spec.inputs[0]; id !== undefined; id = this.#byId.get(id)?.spec.inputs[0]) {
      const layer = this.#layers.get(id);
      if (!layer)
        throw new IngotError('internal/unexpected', `${this.#byId.get(id)?.label ?? id} has left no layer`);
      chain.unshift(layer);
    }
    return chain;
  }

  #stepsOf(kind: PlannedStep['spec']['kind']): PlannedStep[] {
    return this.#run.image.steps.filter((s) => s.spec.kind === kind);
  }

  #end(step: PlannedStep, status: StepStatus, seconds: number, detail?: string): void {
    this.#run.env.emit({
      type: 'step:end',
      step: step.label,
      status,
      seconds,
      ...(detail !== undefined && { detail }),
    });
  }

  report(status: 'done' | 'failed', seconds: number): ImageReport {
    const { image } = this.#run;
    return {
      name: image.name,
      version: image.version,
      status,
      outputs: this.#outputs,
      tests: this.#stepsOf('test').flatMap((s) => {
        const outcome = this.#tests.get(s.id);
        return outcome ? [{ label: s.label, type: s.spec.type, outcome }] : [];
      }),
      ...(this.#release && { release: this.#release }),
      steps: { total: image.steps.length, ran: this.#ran, cached: image.steps.length - this.#ran },
      seconds,
    };
  }
}

function summaryOf(result: Json | undefined): string | undefined {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return undefined;
  const { summary } = result as { summary?: Json };
  return typeof summary === 'string' ? summary : undefined;
}
