import { askedChecks } from './evaluate.ts';
import { type GossResource, idOf, optionFlag, typeOf } from './resource.ts';
import { ElsewhereError, type System } from './system.ts';
import type { ImageSystem } from './systems/image-system.ts';
import { MachineSystem } from './systems/machine-system.ts';
import type { GoValue } from './values.ts';

/** Where a check is decided: on the unbooted disk, in a booted copy, or only where the machine really runs. */
export type Target = 'disk' | 'booted' | 'fleet';

export function targetOf(resource: GossResource, attribute: string, image: ImageSystem): Target {
  if (resource.type === 'matching' || image.decides(resource, attribute)) return 'disk';
  return MachineSystem.decides(resource, attribute) ? 'booted' : 'fleet';
}

/** Checks of each target, as reports name them. */
export type SortedChecks = Readonly<Record<Target, readonly string[]>>;

export function sortByTarget(resources: readonly GossResource[], image: ImageSystem): SortedChecks {
  const sorted: Record<Target, string[]> = { disk: [], booted: [], fleet: [] };
  for (const resource of resources) {
    if (optionFlag(resource, 'skip')) continue;
    for (const { name, property } of askedChecks(resource))
      sorted[targetOf(resource, name, image)].push(
        `${typeOf(resource).title}: ${idOf(resource)}: ${property ?? name}`,
      );
  }
  return sorted;
}

/** An image, and where it is not enough the machine that it becomes. */
export class SplitSystem implements System {
  readonly #image: ImageSystem;
  readonly #machine: System | undefined;

  /** Without a machine, what only a booted image tells is left out. */
  constructor(image: ImageSystem, machine: System | undefined) {
    this.#image = image;
    this.#machine = machine;
  }

  async fact(resource: GossResource, attribute: string): Promise<GoValue> {
    const target = targetOf(resource, attribute, this.#image);
    if (target === 'disk') return await this.#image.fact(resource, attribute);
    if (target === 'booted' && this.#machine) return await this.#machine.fact(resource, attribute);
    throw new ElsewhereError(
      target === 'booted' ? 'needs a booted machine' : 'needs the machine where it will run',
    );
  }
}
