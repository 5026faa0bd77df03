import { attr, bodySpec, type OptionsOf } from '../core/body-spec.ts';
import { type Context, note } from '../core/context.ts';
import { inTurn, TERMINAL } from '../core/in-turn.ts';
import type { Provisioner } from '../core/plugin.ts';

const breakpointSpec = bodySpec({
  disable: attr.bool('Goes on without stopping.', { default: false }),
  note: attr.string('What to tell the person who waits.'),
});

type BreakpointOptions = OptionsOf<typeof breakpointSpec>;

/** `provisioner "breakpoint"`: waits for Enter, so that a person can look at the machine. Never waits without a terminal. */
export const breakpointProvisioner: Provisioner<BreakpointOptions> = {
  type: 'breakpoint',
  version: 1,
  onHost: true,
  schema: async () => breakpointSpec,

  async provision(_machine, options, ctx) {
    if (options.disable) return { summary: 'disabled' };
    if (!process.stdin.isTTY) return { summary: 'no terminal: not stopped' };
    await inTurn(TERMINAL, () => waitForEnter(options, ctx));
    return {};
  },
};

async function waitForEnter(options: BreakpointOptions, ctx: Context): Promise<void> {
  ctx.signal.throwIfAborted();
  note(ctx, `${options.note === undefined ? '' : `${options.note}. `}Stopped here; press Enter to go on.`);
  await new Promise<void>((resolve, reject) => {
    const go = (): void => {
      process.stdin.pause();
      ctx.signal.removeEventListener('abort', stop);
      resolve();
    };
    const stop = (): void => {
      process.stdin.off('data', go);
      process.stdin.pause();
      reject(ctx.signal.reason as Error);
    };
    process.stdin.once('data', go);
    process.stdin.resume();
    ctx.signal.addEventListener('abort', stop, { once: true });
  });
}
