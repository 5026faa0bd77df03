import type { Rootfs } from '../core/rootfs.ts';
import type { System } from './goss/system.ts';
import { ImageSystem } from './goss/systems/image-system.ts';
import { type Commands, MachineSystem } from './goss/systems/machine-system.ts';
import { type BootedAs, SplitSystem } from './goss/targets.ts';

export { type Described, DESCRIBED_TYPES, describeAll, describeThing } from './goss/describe.ts';
export { addToGossFile } from './goss/write-file.ts';

/** An unbooted image. */
export function imageAlone(root: Rootfs): System {
  return new SplitSystem(new ImageSystem(root), undefined);
}

/** An image and its booted copy. */
export function withMachine(root: Rootfs, commands: Commands, bootedAs: BootedAs): System {
  return new SplitSystem(new ImageSystem(root), new MachineSystem(commands, bootedAs));
}
