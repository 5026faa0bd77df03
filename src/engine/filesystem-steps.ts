import type { Context } from '../core/context.ts';
import type { Json } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';
import type { Layer, LayerChain } from '../core/layer.ts';
import type { Machine } from '../core/machine.ts';
import type { Provisioner, StepResult } from '../core/plugin.ts';
import { resolveReferences } from '../core/references.ts';
import { timerMs } from '../core/timer-ms.ts';
import type { DiskStepOptions } from '../plan/catalog.ts';
import type { PlannedStep } from '../plan/types.ts';
import { contextOf, type ImageRun, type WritableView } from './environment.ts';
import { requireUnchanged } from './late-files.ts';
import { type MachineSlot, snapshotOf } from './machine-slot.ts';
import { snapshotWithMemory } from './memory-layer.ts';

/** The source's first filesystem: its own layer, above those that it starts from (of an image), where there are any. */
export async function runSource(
  step: PlannedStep,
  slot: MachineSlot,
  run: ImageRun,
  onFoundation: NonNullable<Context['onFoundation']>,
): Promise<{ readonly layer: Layer; readonly foundation: LayerChain }> {
  const machine = await slot.first({ ...contextOf(run, step), onFoundation });
  const { settings } = machine;
  const result = settings ? ({ settings } as unknown as Json) : null;
  const foundation = [...machine.chain];
  return { layer: await commitMachine(step, machine, foundation, slot, run, result), foundation };
}

/** One provisioner in a machine on `chain`, and the layer of what it changed. */
export async function runProvisioner(
  step: PlannedStep,
  chain: LayerChain,
  slot: MachineSlot,
  run: ImageRun,
): Promise<Layer> {
  const machine = await slot.on(chain, contextOf(run, step));
  const result = await provision(step, machine, run);
  await requireUnchanged(step, run.env);
  return commitMachine(step, machine, chain, slot, run, result as Json);
}

/** The layer of a machine that was shut down: what its services wrote as they stopped. */
export async function runShutdown(
  step: PlannedStep,
  chain: LayerChain,
  slot: MachineSlot,
  run: ImageRun,
): Promise<Layer> {
  const machine = await slot.on(chain, contextOf(run, step));
  await machine.finish();
  return await commitMachine(step, machine, chain, slot, run, null);
}

/** Runs a provisioner with its meta options: pause_before, timeout, max_retries, continue_on_error. */
export async function provision(step: PlannedStep, machine: Machine, run: ImageRun): Promise<StepResult> {
  const provisioner = provisionerOf(step, run);
  const generated = new Map([['PackerRunUUID', run.env.runUuid], ...machine.generated]);
  const decoded = step.resolve ? step.resolve(generated) : step.options;
  const options = await resolveReferences(decoded, await provisioner.schema(), run.env.secrets);
  const { pauseBeforeMs = 0, timeoutMs, maxRetries = 0, continueOnError } = step.meta;
  if (pauseBeforeMs > 0) await pause(pauseBeforeMs, run.env.signal);
  for (let attempt = 0; ; attempt++) {
    const deadline = timeoutMs === undefined ? undefined : AbortSignal.timeout(timerMs(timeoutMs));
    const signal = deadline ? AbortSignal.any([run.env.signal, deadline]) : run.env.signal;
    const ctx = contextOf(run, step, signal);
    try {
      return await provisioner.provision(machine, options as never, ctx);
    } catch (error) {
      run.env.signal.throwIfAborted();
      const shown = deadline?.aborted
        ? new IngotError('engine/timeout', `${step.title} did not end within ${timeoutMs} ms`, {
            hint: "Raise the provisioner's `timeout`, or find out what it waits for in the log above.",
            cause: error,
          })
        : error;
      if (attempt < maxRetries) {
        const reason = shown instanceof Error ? shown.message : String(shown);
        ctx.emit({
          type: 'step:log',
          step: step.label,
          stream: 'note',
          line: `attempt ${attempt + 1} failed, trying again: ${reason}`,
        });
        continue;
      }
      if (!continueOnError) throw shown;
      const reason = shown instanceof Error ? shown.message : String(shown);
      return { summary: `failed, and continue_on_error says to go on: ${reason}` };
    }
  }
}

/** A layer written offline: boot-config, stamp or seal on a mounted, unbooted view of the chain. */
export async function runOffline(step: PlannedStep, chain: LayerChain, run: ImageRun): Promise<Layer> {
  const ctx = contextOf(run, step);
  await using view = await run.env.rooms.openWritable(chain, ctx);
  const result = await offlineRoom(step, view, run, ctx);
  await using staged = await run.env.cache.stage(step.id);
  const kind = await view.moveTo(staged);
  return await staged.commit({ kind, parents: chain.map((l) => l.id), result });
}

function offlineRoom(step: PlannedStep, view: WritableView, run: ImageRun, ctx: Context): Promise<Json> {
  const { rooms } = run.env;
  switch (step.spec.kind) {
    case 'boot-config':
      return rooms.bootConfig(view, step.options as DiskStepOptions, ctx);
    case 'first-boot':
      return rooms.firstBoot(view, step.options, ctx);
    case 'stamp':
      return rooms.stamp(view, step.options, ctx);
    case 'seal':
      return rooms.seal(view, step.options, ctx);
    default:
      throw new IngotError('internal/unexpected', `no offline room runs steps of kind ${step.spec.kind}`);
  }
}

async function commitMachine(
  step: PlannedStep,
  machine: Machine,
  chain: LayerChain,
  slot: MachineSlot,
  run: ImageRun,
  result: Json,
): Promise<Layer> {
  const { cache } = run.env;
  await using staged = await cache.stage(step.id);
  const ctx = contextOf(run, step);
  const { layer, memory } = await snapshotWithMemory(
    machine,
    snapshotOf(machine),
    staged,
    cache,
    ctx,
    async () => {
      const kind = machine.chain.at(-1)?.kind ?? 'overlay';
      return await staged.commit({ kind, parents: chain.map((l) => l.id), result });
    },
  );
  // The machine is not what the layer says: the next step has one that is.
  if (staged.isSecond) await slot.reset();
  else slot.committed(layer.id, memory);
  return layer;
}

export function provisionerOf(step: PlannedStep, run: ImageRun): Provisioner<never> {
  const provisioner = run.env.rooms.provisioners.get(step.spec.type);
  if (!provisioner)
    throw new IngotError('internal/unexpected', `the plan names an unknown provisioner ${step.spec.type}`);
  return provisioner;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, timerMs(ms));
    function done(): void {
      signal.removeEventListener('abort', stop);
      resolve();
    }
    function stop(): void {
      clearTimeout(timer);
      reject(signal.reason as Error);
    }
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
