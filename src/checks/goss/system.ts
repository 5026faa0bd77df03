import type { GossResource } from './resource.ts';
import type { GoValue } from './values.ts';

/** A fact can't be told; the check fails with this message. */
export class FactError extends Error {}

/** A place whose state is checked: an unbooted image, a running machine. */
export interface System {
  /** What `attribute` of the resource is. Throws FactError. */
  fact(resource: GossResource, attribute: string): Promise<GoValue>;
}

/** A fact can't be told here, but elsewhere: the check is skipped, and said to be. */
export class ElsewhereError extends Error {}
