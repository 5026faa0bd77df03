import { setTimeout as wait } from 'node:timers/promises';
import { attr, bodySpec, type OptionsOf } from '../core/body-spec.ts';
import { note } from '../core/context.ts';
import type { Provisioner } from '../core/plugin.ts';

const sleepSpec = bodySpec({
  duration: attr.duration('How long to wait, such as "30s".', { required: true }),
});

/** `provisioner "sleep"`: waits. What it waits for happens in the machine, so it is part of no layer. */
export const sleepProvisioner: Provisioner<OptionsOf<typeof sleepSpec>> = {
  type: 'sleep',
  version: 1,
  onHost: true,
  schema: async () => sleepSpec,

  async provision(_machine, { duration }, ctx) {
    note(ctx, `sleeping for ${duration / 1000} s`);
    await wait(duration, undefined, { signal: ctx.signal });
    return {};
  },
};
