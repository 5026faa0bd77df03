import type { Source } from '../core/plugin.ts';
import { type OciOptions, ociSpec } from './oci/options.ts';

/** `source "oci"`: starts from a container image, without any daemon (docs/sources/oci.md). */
export const ociSource: Source<OciOptions> = {
  type: 'oci',
  version: 2,
  produces: 'rootfs',
  schema: () => Promise.resolve(ociSpec),
  pin: async (o, ctx) => (await import('./oci/machine.ts')).pin(o, ctx),
  outdated: async (o, ctx) => (await import('./oci/machine.ts')).outdated(o, ctx),
  start: async (o, base, ctx) => (await import('./oci/machine.ts')).startMachine(o, base, ctx),
};
