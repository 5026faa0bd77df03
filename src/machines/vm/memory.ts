import { readFile, writeFile } from 'node:fs/promises';
import { type Context, note } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import { type Layer, layerFile, type StagedLayer } from '../../core/layer.ts';
import type { MemorySnapshot } from '../../core/machine.ts';
import { imageFingerprint } from '../../host/qemu-image.ts';
import { saveState } from '../../host/qemu-state.ts';
import type { Qemu } from '../../host/qemu.ts';
import type { VmHardware } from './options.ts';

const STATE = 'memory';
const NOTE = 'memory.json';
/** A machine with more memory takes longer to save than to boot. */
const MOST_BYTES = 4 * 1024 ** 3;

/** What a saved memory belongs to. */
interface MemoryNote {
  readonly key: string;
  /** The disk of the layer that was cut at the same moment: another one would not fit the memory. */
  readonly disk: string;
}

/** Whether this machine's memory is worth keeping. */
export function canKeepMemory(hardware: VmHardware): boolean {
  return (hardware.memory ?? 0) <= MOST_BYTES;
}

/**
 * Keeps the memory of a stopped machine, whose disk was just cut into `disk`, and lets it go on. A failure is told, and no
 * error: the next machine boots.
 */
export async function keepMemory(
  qemu: Qemu,
  disk: string,
  into: Pick<StagedLayer, 'dir'>,
  ctx: Context,
): Promise<MemorySnapshot> {
  const text: MemoryNote = { key: qemu.key, disk: await imageFingerprint(disk) };
  await writeFile(layerFile(into, NOTE), JSON.stringify(text));
  const { written } = await saveState(qemu, layerFile(into, STATE), ctx.signal);
  return {
    written: written.then(
      () => true,
      (error: unknown) => {
        // Whoever stops the build hears of that.
        if (!ctx.signal.aborted) note(ctx, `the machine's memory is not kept: ${(error as Error).message}`);
        return false;
      },
    ),
  };
}

/** A kept memory as QEMU takes it, where it belongs to this very disk. */
export async function memoryFor(
  memory: Layer,
  disk: string,
): Promise<{ readonly file: string; readonly key: string } | undefined> {
  const text = await readFile(layerFile(memory, NOTE), 'utf8').catch(() => undefined);
  const wanted = await imageFingerprint(disk).catch(() => undefined);
  if (text === undefined || wanted === undefined) return undefined;
  const { key, disk: found } = JSON.parse(text) as MemoryNote;
  return found === wanted ? { file: layerFile(memory, STATE), key } : undefined;
}

/** Whether a machine that could not go on from a memory may boot instead. */
export function isNoState(error: unknown): boolean {
  return error instanceof IngotError && ['qemu/no-state', 'qemu/monitor'].includes(error.code);
}
