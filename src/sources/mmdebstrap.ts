import type { Source } from '../core/plugin.ts';
import { startMachine } from './mmdebstrap/machine.ts';
import { body, type MmdebstrapOptions } from './mmdebstrap/options.ts';
import { outdated, pin } from './mmdebstrap/pin.ts';

export { aptCache } from './mmdebstrap/blobs.ts';
export { unpackTools } from './mmdebstrap/tools.ts';

/** `source "mmdebstrap"`: a Debian root filesystem from the signed archive (docs/sources/mmdebstrap.md). */
export const mmdebstrapSource: Source<MmdebstrapOptions> = {
  type: 'mmdebstrap',
  version: 1,
  produces: 'rootfs',
  schema: () => Promise.resolve(body),
  pin,
  outdated,
  start: startMachine,
};
