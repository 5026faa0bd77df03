import type { Digest, Json } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';
import type { Layer, LayerChain } from '../core/layer.ts';
import type { GeneratedData } from '../core/machine.ts';
import type { EarlierTest, TestOutcome } from '../plan/catalog.ts';
import type { ImagePlan, PlannedStep } from '../plan/types.ts';
import { ArtifactChains } from './artifact-chains.ts';
import type { EngineEnvironment, ImageRun, ReleaseRecord } from './environment.ts';
import type { StepSubject } from './file-steps.ts';
import { LookAhead } from './look-ahead.ts';
import { MachineSlot } from './machine-slot.ts';
import { RawDisks } from './raw-disks.ts';
import type { StepRecord } from './record.ts';
import type { OutputReport } from './report.ts';
import { resolveCache } from './resolve.ts';

/** One image under way: what its steps have left behind so far. */
export class ImageState implements ImageRun {
  image: ImagePlan;
  readonly env: EngineEnvironment;
  readonly slot: MachineSlot;
  readonly rawDisks: RawDisks;
  readonly ahead: LookAhead;
  readonly layers = new Map<Digest, Layer>();
  readonly toRun = new Set<Digest>();
  readonly outputs: OutputReport[] = [];
  readonly tests = new Map<Digest, TestOutcome>();
  /** How steps ended, by their labels. */
  readonly ended = new Map<string, StepRecord>();
  readonly started: Date;
  readonly #began = performance.now();
  /** Results of steps, also of those whose layers nobody needs, or that left none. */
  readonly #results = new Map<Digest, Json>();
  readonly artifacts = new ArtifactChains();
  /** Errors of post-processors: other chains go on, and the build has failed. */
  readonly failures: unknown[] = [];
  /** The user wants everything left as it is. */
  left = false;
  release: ReleaseRecord | undefined;
  /** Steps that were really executed. */
  ran = 0;
  #byId: ReadonlyMap<Digest, PlannedStep>;

  constructor(image: ImagePlan, env: EngineEnvironment) {
    this.image = image;
    this.env = env;
    this.started = env.clock.now();
    this.#byId = new Map(image.steps.map((s) => [s.id, s]));
    const first = image.steps.find((s) => s.spec.kind === 'source');
    const source = first && env.rooms.sources.get(first.spec.type);
    if (!first || !source)
      throw new IngotError('internal/unexpected', `the plan of ${image.name} has no source`);
    this.slot = new MachineSlot(source, first.options, env.cache);
    this.rawDisks = new RawDisks(env.rooms);
    this.ahead = new LookAhead(env.rooms);
  }

  /** Takes what the cache has of these steps. */
  async resolve(steps: readonly PlannedStep[]): Promise<void> {
    const { env } = this;
    const ended = new Set(steps.filter((s) => this.ended.has(s.label)).map((s) => s.id));
    const { hits, toRun } = await resolveCache(steps, env.cache, env.force, ended);
    for (const [id, layer] of hits) {
      this.layers.set(id, layer);
      const step = this.#byId.get(id);
      if (step?.spec.kind === 'test') this.tests.set(id, layer.result as unknown as TestOutcome);
    }
    for (const id of toRun) this.toRun.add(id);
    for (const { id, spec } of steps) {
      if (spec.kind !== 'provisioner' && spec.kind !== 'seal') continue;
      if (toRun.has(id) || hits.has(id) || ended.has(id)) continue;
      const layer = await env.cache.lookup(id);
      if (layer) this.#results.set(id, layer.result);
    }
  }

  /** Goes on with other steps, of which those that have ended are the same. */
  replan(steps: readonly PlannedStep[]): void {
    this.image = { ...this.image, steps };
    this.#byId = new Map(steps.map((s) => [s.id, s]));
  }

  /** Since the build began. */
  seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  /** Keeps the result of a step that leaves no layer. */
  keepResult(step: PlannedStep, result: Json): void {
    this.#results.set(step.id, result);
  }

  /** What a step said of its work, now or when its layer was made. */
  resultOf(step: PlannedStep): Json | undefined {
    return this.layers.get(step.id)?.result ?? this.#results.get(step.id);
  }

  stepsOf(kind: PlannedStep['spec']['kind']): PlannedStep[] {
    return this.image.steps.filter((s) => s.spec.kind === kind);
  }

  /** What a step's input is: the raw disk, or the chain of the filesystem. */
  subject(step: PlannedStep): StepSubject {
    for (const id of step.spec.inputs) {
      if (this.#byId.get(id)?.spec.kind !== 'disk') continue;
      const layer = this.layers.get(id) as Layer;
      const chain = layer.parents.map((below) => this.layers.get(below) as Layer);
      return { disk: { layer, ...(chain.length > 0 && { chain }) } };
    }
    return { chain: this.chainBelow(step) };
  }

  /** Tests that a step stands on, and what they answered. */
  testsBelow(step: PlannedStep): EarlierTest[] {
    return step.spec.inputs.flatMap((id) => {
      const input = this.#byId.get(id);
      if (input?.spec.kind !== 'test') return [];
      const outcome = this.tests.get(id);
      return [{ type: input.spec.type, ...(outcome && { outcome }) }];
    });
  }

  /** All layers below a step, lowest first; none where the source makes files. */
  chainBelow(step: PlannedStep): LayerChain {
    if (this.image.produces === 'files') return [];
    const chain: Layer[] = [];
    for (let id = step.spec.inputs[0]; id !== undefined; id = this.#byId.get(id)?.spec.inputs[0]) {
      const layer = this.layers.get(id);
      if (!layer)
        throw new IngotError('internal/unexpected', `${this.#byId.get(id)?.label ?? id} has left no layer`);
      chain.unshift(layer);
    }
    // What the source started from was made by no step.
    const foundation = chain[0]?.parents.map((id) => this.layers.get(id) as Layer) ?? [];
    return [...foundation, ...chain];
  }

  /** A step's options, with what the machine generated where they ask for it. */
  optionsOf(step: PlannedStep): unknown {
    if (!step.resolve) return step.options;
    const generated: GeneratedData = new Map([['PackerRunUUID', this.env.runUuid], ...this.slot.generated]);
    return step.resolve(generated);
  }
}
