import { type BootStage, readStages } from '../core/boot-stages.ts';
import { type Context, note } from '../core/context.ts';

/** What an image said of its start. */
export interface BootOutcome {
  readonly ready: boolean;
  /** Since the machine was switched on. */
  readonly seconds: number;
  /** What they went into; of an image that said it. */
  readonly stages: readonly BootStage[];
}

/**
 * Reads what the boot agent says on the console (docs/first-boot.md), line by line, each with its seconds since power-on.
 * Answers the outcome, or undefined while it is not decided.
 */
export function consoleReader(
  ctx: Pick<Context, 'emit' | 'step'>,
): (line: string, seconds: number) => BootOutcome | undefined {
  let stages: readonly BootStage[] = [];
  return (line, seconds) => {
    const [said, state, rest = ''] = /ingot: (stages:|ready in|waiting:|not ready:)(.*)/.exec(line) ?? [];
    if (said === undefined) return undefined;
    if (state === 'stages:') {
      stages = readStages(rest.trim());
      return undefined;
    }
    note(ctx, said);
    if (state === 'waiting:') return undefined;
    if (state === 'not ready:' || stages.length === 0)
      return { ready: state === 'ready in', seconds, stages: [] };
    // Its own clock began with the kernel.
    const firmware = Math.max(0, seconds - Number.parseFloat(rest));
    return { ready: true, seconds, stages: [{ name: 'firmware', seconds: firmware }, ...stages] };
  };
}
