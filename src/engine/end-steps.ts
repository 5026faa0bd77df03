import { IngotError } from '../core/error.ts';
import { resolveReferences } from '../core/references.ts';
import type { ReleaseStepOptions } from '../plan/catalog.ts';
import type { PlannedStep } from '../plan/types.ts';
import { contextOf } from './environment.ts';
import type { ImageState } from './image-state.ts';
import { recordOf } from './record.ts';
import type { StepEnd } from './step-runner.ts';

/** Ends the machine and takes what it made; for sources whose artifact is files. */
export async function runArtifact(state: ImageState): Promise<StepEnd> {
  const artifact = await state.slot.running().finish();
  await state.slot.reset();
  state.artifacts.begin(artifact);
  return { ok: true, detail: artifact.description };
}

/** One post-processor on what its chain has made so far. */
export async function runPostProcessor(step: PlannedStep, state: ImageState): Promise<StepEnd> {
  const processor = state.env.rooms.postProcessors.get(step.spec.type);
  if (!processor)
    throw new IngotError('internal/unexpected', `the plan names an unknown post-processor ${step.spec.type}`);
  if (state.image.produces === 'rootfs') beginWithOutputs(state);
  const input = state.artifacts.inputOf(step);
  const schema = await processor.schema();
  const options = (await resolveReferences(state.optionsOf(step), schema, state.env.secrets)) as never;
  const processed = await processor.process(input, options, contextOf(state, step));
  await state.artifacts.processed(step, processed);
  return { ok: true, detail: processed.artifact.description };
}

/** The outputs as an artifact. */
function beginWithOutputs({ image, outputs, artifacts }: ImageState): void {
  artifacts.begin({
    builderId: `ingot.${image.source.type}`,
    id: `${image.name}@${image.version}`,
    files: outputs.map((o) => o.path),
    description: `${image.name} ${image.version}: ${outputs.map((o) => o.format).join(', ')}`,
  });
}

/** The release of all outputs, with what is known of the build as evidence. */
export async function runRelease(step: PlannedStep, state: ImageState): Promise<StepEnd> {
  const { env, image } = state;
  const options = step.options as ReleaseStepOptions;
  const release = await env.rooms.release({ options, record: recordOf(state) }, contextOf(state, step));
  state.release = release;
  const { digest, store } = release;
  env.emit({ type: 'release', name: image.name, version: image.version, digest, store });
  return {
    ok: true,
    status: release.existed ? 'cached' : 'done',
    detail: `${image.name}@${image.version} in ${release.store}`,
  };
}
