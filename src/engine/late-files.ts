import { digestOf, type Json } from '../core/digest.ts';
import type { FileDescriptor } from '../core/descriptor.ts';
import { IngotError } from '../core/error.ts';
import type { Scope } from '../core/scope.ts';
import { describeFiles } from '../plan/files.ts';
import { type PlannedStep, withFiles } from '../plan/types.ts';
import type { EngineEnvironment } from './environment.ts';
import type { ImageState } from './image-state.ts';

/**
 * Gives a step whose files the build makes, and all that stand on it, the identities that those files ask for. Called when
 * what makes them has ended.
 */
export async function describeLate(step: PlannedStep, state: ImageState, leases: Scope): Promise<void> {
  const { env, image } = state;
  const files = await describeThere(step, env);
  if (digestOf(files as unknown as Json) === digestOf(step.spec.files as unknown as Json)) return;
  const before = new Set(image.steps.map((s) => s.id));
  const steps = withFiles(image.steps, step, files);
  const ids = steps.map((s) => s.id).filter((id) => !before.has(id));
  if (env.force) await env.cache.remove?.(ids);
  leases.use(await env.cache.lease(ids), 'lease of the layers');
  state.replan(steps);
}

/**
 * Before the layer of a step is kept: its files are still those that its digest tells of. Throws `engine/input-changed`. What has
 * come into a folder since is no matter, nor what Python compiles beside its sources.
 */
export async function requireUnchanged(
  step: PlannedStep,
  env: Pick<EngineEnvironment, 'templateDir'>,
): Promise<void> {
  if (step.spec.files.length === 0) return;
  const now = new Map((await describeThere(step, env)).map((file) => [file.path, file]));
  const isSame = ({ path, digest, mode }: FileDescriptor): boolean =>
    /(^|\/)__pycache__\//.test(path) || (now.get(path)?.digest === digest && now.get(path)?.mode === mode);
  const changed = step.spec.files.filter((file) => !isSame(file)).map(({ path }) => path);
  if (changed.length === 0) return;
  const [first] = changed;
  const more = changed.length > 1 ? ` and ${changed.length - 1} more` : '';
  throw new IngotError(
    'engine/input-changed',
    `${first}${more} changed while the build ran: it is not known which content the step has read`,
    { hint: 'Build again. What was made before this step is in the cache.' },
  );
}

/** What is there of a step's files; of one that is missing the step itself tells. */
async function describeThere(
  { reads = [] }: PlannedStep,
  { templateDir }: Pick<EngineEnvironment, 'templateDir'>,
): Promise<FileDescriptor[]> {
  return await describeFiles(reads, templateDir, true);
}
