import { explainSystemError } from '../core/system-error.ts';
import { type Layer, layerFile } from '../core/layer.ts';
import type { PlannedStep } from '../plan/types.ts';
import { contextOf, type OutputRecord } from './environment.ts';
import { runOutputs } from './file-steps.ts';
import type { ImageState } from './image-state.ts';
import { placeOutput } from './place-outputs.ts';
import { endStep, runStep, startStep } from './step-runner.ts';

/** Writes the outputs that the cache lacks from one reading of the disk, and puts all where the user wants them. */
export async function runAllOutputs(steps: readonly PlannedStep[], state: ImageState): Promise<boolean> {
  const missing = steps.filter((s) => state.toRun.has(s.id));
  for (const step of steps) if (!missing.includes(step)) endStep(step, state, 'cached', 0);
  if (missing.length > 0 && !(await write(missing, state))) return false;
  for (const step of steps) await place(step, state);
  return true;
}

async function write(missing: readonly PlannedStep[], state: ImageState): Promise<boolean> {
  const [first, ...others] = missing as [PlannedStep, ...PlannedStep[]];
  for (const step of others) startStep(step, state);
  const began = performance.now();
  let ok = false;
  try {
    ok = await runStep(first, state, async () => {
      const subjects = missing.map((s) => state.subject(s));
      const disk = subjects.find((s) => s.disk)?.disk;
      const chain = subjects.find((s) => s.chain)?.chain;
      const layers = await runOutputs(missing, { ...(disk && { disk }), ...(chain && { chain }) }, state);
      for (const [i, step] of missing.entries()) state.layers.set(step.id, layers[i] as Layer);
      return { ok: true };
    });
  } finally {
    for (const step of others)
      endStep(step, state, ok ? 'done' : 'failed', (performance.now() - began) / 1000);
  }
  state.ran += others.length;
  return ok;
}

async function place(step: PlannedStep, state: ImageState): Promise<void> {
  const { env, image } = state;
  const layer = state.layers.get(step.id) as Layer;
  const { format, fileName, digest, size } = layer.result as unknown as OutputRecord;
  const path = await placeOutput(
    layerFile(layer, fileName),
    image.outputDir,
    fileName,
    contextOf(state, step),
  ).catch((error: unknown) => {
    env.signal.throwIfAborted();
    throw explainSystemError(error, {
      place: `the outputs in ${image.outputDir}`,
      elsewhere: 'write the outputs to a larger disk: --output-dir /folder',
    }).at({ step: step.label, ...(step.origin && { range: step.origin }) });
  });
  state.outputs.push({ format, path, digest, size });
  env.emit({ type: 'artifact', step: step.label, name: image.name, format, path, digest, size });
}
