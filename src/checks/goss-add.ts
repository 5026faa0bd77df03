import type { Communicator } from '../core/machine.ts';
import type { Rootfs } from '../core/rootfs.ts';
import type { System } from './goss/system.ts';
import { ImageSystem } from './goss/systems/image-system.ts';
import { MachineSystem } from './goss/systems/machine-system.ts';
import { SplitSystem } from './goss/targets.ts';

export { type Described, DESCRIBED_TYPES, describeAll, describeThing } from './goss/describe.ts';
export { addToGossFile } from './goss/write-file.ts';

/** An unbooted image. */
export function imageAlone(root: Rootfs): System {
  return new SplitSystem(new ImageSystem(root), undefined);
}

/** An image and its booted copy. */
export function withMachine(root: Rootfs, communicator: Communicator): System {
  return new SplitSystem(new ImageSystem(root), new MachineSystem(communicator));
}
