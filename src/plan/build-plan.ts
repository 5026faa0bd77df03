import { type Diagnostic, hasErrors } from '../core/diagnostic.ts';
import { DiagnosticsError } from '../core/error.ts';
import { explainSystemError } from '../core/system-error.ts';
import type { OutdatedInput, Pinned, PinContext } from '../core/plugin.ts';
import { engineOf } from './plan-machine.ts';
import { fullName } from './targets.ts';
import { outputClashes, type Placed } from './output-places.ts';
import type { Plan } from './types.ts';
import type { PlanRequest } from './plan-request.ts';
import { checkTemplate, type Draft } from './check-template.ts';
import { completePlan, namedSecrets } from './complete-plan.ts';

export interface PlanResult {
  /** Absent where there are errors. */
  readonly plan?: Plan;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Template + image file + lock → plan. Everything that can be found wrong without the network is found first,
 * all at once; only then are the inputs from outside pinned.
 */
export async function buildPlan(request: PlanRequest): Promise<PlanResult> {
  const { drafts, diagnostics } = await checkTemplate(request);
  if (hasErrors(diagnostics)) return { diagnostics };
  const { template } = request;
  if (request.toRun && drafts.some(({ target }) => target.source.produces === 'rootfs'))
    request.context.host.requireRoot('to mount filesystems and start containers');

  const placed: Placed[] = [];
  for (const draft of drafts) {
    const pinned = await pin(draft.target, request, diagnostics);
    if (!pinned) continue;
    const plan = await completePlan(draft, pinned, request, await request.git());
    placed.push({ plan, startsFrom: pinned.startsFrom ?? [] });
  }
  diagnostics.push(...outputClashes(placed));
  if (hasErrors(diagnostics)) return { diagnostics };
  const secrets = drafts.flatMap((d) => namedSecrets(d, template.scope));
  const images = placed.map(({ plan }) => plan);
  return { plan: { images, secrets, templateDir: template.dir }, diagnostics };
}

/** What the locked inputs of every selected build are behind by. */
export async function outdatedInputs(
  request: PlanRequest,
): Promise<{ readonly build: string; readonly inputs: readonly OutdatedInput[] }[]> {
  const { drafts, diagnostics } = await checkTemplate(request);
  if (hasErrors(diagnostics)) throw new DiagnosticsError(diagnostics);
  const found = [];
  for (const { target } of drafts) {
    const inputs = await target.source.outdated?.(
      target.decoded.options as never,
      pinContext(target, request),
    );
    found.push({ build: fullName(target.build, target.use), inputs: inputs ?? [] });
  }
  return found;
}

function pinContext(target: Draft['target'], request: PlanRequest): PinContext {
  const step = `${target.use.type}.${target.use.name}`;
  const engine = engineOf(target.source, target.image, request.engine);
  return { ...request.context, step, lock: request.lock, mode: request.mode, ...(engine && { engine }) };
}

async function pin(
  target: Draft['target'],
  request: PlanRequest,
  diagnostics: Diagnostic[],
): Promise<Pinned<unknown> | undefined> {
  try {
    return await target.source.pin(target.decoded.options as never, pinContext(target, request));
  } catch (error) {
    if (request.context.signal.aborted) throw error;
    diagnostics.push(
      explainSystemError(error, { place: `the cache ${request.context.cacheDir}` })
        .at({ range: target.use.range })
        .toDiagnostic(),
    );
    return undefined;
  }
}
