import type { Source } from '../core/plugin.ts';
import { body, type MmdebstrapOptions } from './mmdebstrap/options.ts';

/** `source "mmdebstrap"`: a Debian root filesystem from the signed archive (docs/sources/mmdebstrap.md). */
export const mmdebstrapSource: Source<MmdebstrapOptions> = {
  type: 'mmdebstrap',
  version: 1,
  produces: 'rootfs',
  schema: () => Promise.resolve(body),
  pin: async (o, ctx) => (await import('./mmdebstrap/pin.ts')).pin(o, ctx),
  outdated: async (o, ctx) => (await import('./mmdebstrap/pin.ts')).outdated(o, ctx),
  start: async (o, base, ctx) => (await import('./mmdebstrap/machine.ts')).startMachine(o, base, ctx),
};
