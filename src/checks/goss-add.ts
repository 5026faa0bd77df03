import type { Rootfs } from '../core/rootfs.ts';
import type { Surroundings } from './goss/describe.ts';
import { ImageSystem } from './goss/systems/image-system.ts';
import { type Commands, MachineSystem } from './goss/systems/machine-system.ts';
import { type BootedAs, SplitSystem } from './goss/targets.ts';

export {
  DESCRIBED_TYPES,
  type DescribedThing,
  describeAll,
  describeThing,
  fullName,
} from './goss/describe.ts';
export { addToGossFile } from './goss/write-file.ts';

/** An unbooted image. */
export function imageAlone(root: Rootfs): Surroundings {
  return around(new ImageSystem(root), undefined);
}

/** An image and its booted copy. */
export function withMachine(root: Rootfs, commands: Commands, bootedAs: BootedAs): Surroundings {
  return around(new ImageSystem(root), new MachineSystem(commands, bootedAs));
}

function around(image: ImageSystem, machine: MachineSystem | undefined): Surroundings {
  return {
    system: new SplitSystem(image, machine),
    hasService: (name) => image.hasService(name),
    portsOf: (process) => machine?.portsOf(process) ?? Promise.resolve([]),
  };
}
