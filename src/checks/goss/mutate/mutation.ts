import type { ImageChanges } from './image-changes.ts';

/** One fact of an image that is flipped, to see whether a test notices. */
export interface Mutation {
  /** A resource type of goss files. */
  readonly type: 'file' | 'group' | 'kernel-param' | 'mount' | 'package' | 'service' | 'user';
  /** The thing's name there: a path, a package, … */
  readonly subject: string;
  /** `removed`, `mode 0640 to 0642`. */
  readonly change: string;
  /** The attribute of a goss file that would notice. */
  readonly attribute: string;
  /** `named`: the goss file has a resource for it; `own`: the image brings it, and no package's default does. */
  readonly origin: Origin;
}

export type Origin = 'named' | 'own';

/** Judged by the checks of the unbooted disk. */
export interface DiskMutation extends Mutation {
  apply(changes: ImageChanges): void;
}

/** Judged in the booted image, where the unit is stopped and started again. */
export interface StopMutation extends Mutation {
  readonly type: 'service';
  /** With its suffix: `nginx.service`. */
  readonly unit: string;
}

/** Of a list at most `count` entries, as far from each other as they can be; the first and the last are among them. */
export function spread<T>(list: readonly T[], count: number): T[] {
  if (list.length <= count) return [...list];
  if (count === 1) return [list[Math.floor(list.length / 2)] as T];
  return Array.from(
    { length: count },
    (_, i) => list[Math.round((i * (list.length - 1)) / (count - 1))] as T,
  );
}
