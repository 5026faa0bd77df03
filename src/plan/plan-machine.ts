import type { Diagnostic } from '../core/diagnostic.ts';
import type { Digest } from '../core/digest.ts';
import type { Engine, Source } from '../core/plugin.ts';
import type { ImageBlock } from './image-file.ts';
import { type PlannedStep, planStep } from './types.ts';

/** What the provisioners of a source run in: the command line's word, the image file's, or the source's own first choice. */
export function engineOf(
  source: Pick<Source<never>, 'engines'>,
  image: Pick<ImageBlock, 'engine'> | undefined,
  asked: Engine | undefined,
): Engine | undefined {
  if (!source.engines) return undefined;
  const wanted = asked ?? image?.engine;
  return wanted !== undefined && source.engines.includes(wanted) ? wanted : source.engines[0];
}

/** An image file that chooses where there is nothing to choose. */
export function checkEngine(
  source: Pick<Source<never>, 'type' | 'engines'>,
  image: ImageBlock,
  diagnostics: Diagnostic[],
): void {
  if (image.engine === undefined || source.engines?.includes(image.engine)) return;
  diagnostics.push({
    code: 'plan/no-engine',
    severity: 'error',
    message: `image "${image.name}" asks for engine "${image.engine}", and the source "${source.type}" ${source.engines ? `has ${source.engines.join(', ')}` : 'leaves no choice'}`,
    range: image.range,
    hint: 'Leave `engine` out.',
  });
}

/** The machine goes off in order, and its disk is kept as it is then. */
export function shutdownStep(
  name: string,
  top: Digest,
  after: readonly Digest[],
  epoch: number,
): PlannedStep {
  return planStep({
    label: `${name}/shutdown`,
    title: 'shut the machine down',
    spec: { kind: 'shutdown', type: 'shutdown', version: 1, options: null, inputs: [top], files: [], epoch },
    options: null,
    meta: {},
    after,
    cacheable: true,
  });
}
