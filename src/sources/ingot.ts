import type { Source } from '../core/plugin.ts';
import { type IngotOptions, ingotSpec } from './ingot/options.ts';

/** `source "ingot"`: starts from a release of a local store (docs/sources/ingot.md). */
export const ingotSource: Source<IngotOptions> = {
  type: 'ingot',
  version: 2,
  produces: 'rootfs',
  schema: () => Promise.resolve(ingotSpec),
  pin: async (o, ctx) => (await import('./ingot/machine.ts')).pin(o, ctx),
  outdated: async (o, ctx) => (await import('./ingot/machine.ts')).outdated(o, ctx),
  start: async (o, base, ctx) => (await import('./ingot/machine.ts')).startMachine(o, base, ctx),
};
