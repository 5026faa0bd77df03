import { askedChecks } from './evaluate.ts';
import { type GossResource, idOf, optionFlag, subjectOf, typeOf } from './resource.ts';
import { ElsewhereError, type System } from './system.ts';
import type { ImageSystem } from './systems/image-system.ts';
import { MachineSystem } from './systems/machine-system.ts';
import type { GoValue } from './values.ts';

/** Where a check is decided: on the unbooted disk, in a booted copy, or only where the machine really runs. */
export type Target = 'disk' | 'booted' | 'fleet';

/** As what a copy of the image is booted: a container has the kernel and the mounts of its host. */
export type BootedAs = 'container' | 'vm';

export function targetOf(
  resource: GossResource,
  attribute: string,
  image: ImageSystem,
  bootedAs: BootedAs,
): Target {
  if (resource.type === 'matching' || image.decides(resource, attribute)) return 'disk';
  // A virtual machine mounts the image's partitions; a container has the root filesystem alone.
  if (resource.type === 'file')
    return bootedAs === 'vm' || image.placeOf(subjectOf(resource), attribute) === 'volatile'
      ? 'booted'
      : 'fleet';
  return MachineSystem.decides(resource, attribute, bootedAs) ? 'booted' : 'fleet';
}

/** Checks of each target, as reports name them. */
export type SortedChecks = Readonly<Record<Target, readonly string[]>>;

export function sortByTarget(
  resources: readonly GossResource[],
  image: ImageSystem,
  bootedAs: BootedAs = 'container',
): SortedChecks {
  const sorted: Record<Target, string[]> = { disk: [], booted: [], fleet: [] };
  for (const resource of resources) {
    if (optionFlag(resource, 'skip')) continue;
    for (const { name, property } of askedChecks(resource))
      sorted[targetOf(resource, name, image, bootedAs)].push(
        `${typeOf(resource).title}: ${idOf(resource)}: ${property ?? name}`,
      );
  }
  return sorted;
}

/** An image, and where it is not enough the machine that it becomes. */
export class SplitSystem implements System {
  readonly #image: ImageSystem;
  readonly #machine: MachineSystem | undefined;

  /** Without a machine, what only a booted image tells is left out. */
  constructor(image: ImageSystem, machine: MachineSystem | undefined) {
    this.#image = image;
    this.#machine = machine;
  }

  async fact(resource: GossResource, attribute: string): Promise<GoValue> {
    const target = targetOf(resource, attribute, this.#image, this.#machine?.bootedAs ?? 'container');
    if (target === 'disk') return await this.#image.fact(resource, attribute);
    if (target === 'booted' && this.#machine) return await this.#machine.fact(resource, attribute);
    throw new ElsewhereError(
      target === 'booted' ? 'needs a booted machine' : 'needs the machine where it will run',
    );
  }
}
