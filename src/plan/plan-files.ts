import type { Diagnostic } from '../core/diagnostic.ts';
import { digestOf } from '../core/digest.ts';
import type { ImageBlock } from './image-file.ts';
import { versionOf } from './plan-offline.ts';
import type { DraftStep } from './plan-plugins.ts';
import type { GitFacts } from './stamp.ts';
import { type PlannedStep, planStep } from './types.ts';

interface FilesRequest {
  readonly name: string;
  readonly source: PlannedStep;
  readonly epoch: number;
  readonly image: ImageBlock | undefined;
  readonly git: GitFacts;
  readonly provisioners: readonly DraftStep[];
  readonly postProcessors: readonly DraftStep[];
}

/**
 * The way of a source whose artifact is files: start, provision, hand over, post-process. Its machine can't be
 * snapshot, so each step stands on the one before it and all of them run every time.
 */
export function planFiles(request: FilesRequest): {
  steps: PlannedStep[];
  version: string;
  annotations: Readonly<Record<string, string>>;
} {
  const { name, source, epoch, image, git } = request;
  const steps = [source];
  const add = (label: string, draft: Omit<PlannedStep, 'id'>, made?: PlannedStep): PlannedStep => {
    const before = steps.at(-1) as PlannedStep;
    const inputs = [...new Set([...(made ? [made.id] : []), before.id])];
    const step = planStep({
      ...draft,
      label: `${name}/${label}`,
      spec: { ...draft.spec, inputs, epoch },
      cacheable: false,
    });
    steps.push(step);
    return step;
  };
  for (const { step } of request.provisioners) add(step.label, step);
  const artifact = add('artifact', {
    label: 'artifact',
    title: 'hand over the artifact',
    spec: { kind: 'artifact', type: 'artifact', version: 1, options: null, inputs: [], files: [], epoch },
    options: undefined,
    meta: {},
    after: [],
    cacheable: false,
  });
  for (const { step } of request.postProcessors) add(`post-processor.${step.label}`, step, artifact);
  const dirtyMark = digestOf(steps.map((step) => step.id));
  return { steps, version: versionOf({ image, git, dirtyMark }), annotations: {} };
}

/** Reports what an image file asks of a source that makes no filesystem. */
export function checkImageOfFiles(image: ImageBlock, type: string, diagnostics: Diagnostic[]): void {
  const { outputs, tests, disk, seal, firstBoot, policy, release } = image;
  for (const block of [...outputs, ...tests, disk, seal, firstBoot, policy, release]) {
    if (!block) continue;
    diagnostics.push({
      code: 'plan/no-filesystem',
      severity: 'error',
      message: `${block.type} needs a filesystem, and the source "${type}" makes files only`,
      range: block.range,
      hint: 'Use post-processors for its files; for an image start from source "oci" or "dockerfile", or mmdebstrap.',
    });
  }
}
