import { join } from 'node:path';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { ImagePlan } from './types.ts';
import type { OutputStepOptions } from './catalog.ts';

/** An image, and the files of this machine that it starts from. */
export interface Placed {
  readonly plan: ImagePlan;
  readonly startsFrom: readonly string[];
}

/** Outputs that would be written over each other, or over what an image starts from: the later one would win. */
export function outputClashes(images: readonly Placed[]): Diagnostic[] {
  const taken = new Map<string, string>();
  for (const { plan, startsFrom } of images)
    for (const path of startsFrom) taken.set(path, `${plan.name} starts from it`);
  const diagnostics: Diagnostic[] = [];
  for (const { plan } of images) {
    for (const step of plan.steps.filter(({ spec }) => spec.kind === 'output')) {
      const path = join(plan.outputDir, (step.options as OutputStepOptions).fileName);
      const by = taken.get(path);
      if (by !== undefined) {
        diagnostics.push({
          code: 'plan/output-clash',
          severity: 'error',
          message: `${plan.name} would write its output ${step.spec.type} over ${path}: ${by}`,
          ...(step.origin && { range: step.origin }),
          hint: 'Give it a folder of its own by output_directory, or a name of its own by vm_name.',
        });
      }
      taken.set(path, `${plan.name} writes its output ${step.spec.type} there`);
    }
  }
  return diagnostics;
}
