import type { SealOperation } from '../core/plugin.ts';
import type { Rootfs } from '../core/rootfs.ts';
import { applyEdits, type Edit } from './edit.ts';

/** Finds what has to change, and changes nothing: [] on a sealed image. */
export type Find = (root: Rootfs) => Edit[];

/** A seal operation that can be proven: the same search finds nothing after it ran. */
export interface ProvableOperation extends SealOperation {
  readonly find: Find;
}

/** An operation that finds its edits and makes them. `version` is hashed: bump it when what it does changes. */
export function operation(name: string, version: number, doc: string, find: Find): ProvableOperation {
  return { name, version, doc, find, offline: async (root) => applyEdits(root, find(root)) };
}
