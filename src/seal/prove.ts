import type { Rootfs } from '../core/rootfs.ts';
import type { Edit } from './edit.ts';
import { sealOperations } from './operations.ts';

/** Something that a sealed image must not have, or must have and lacks. */
export interface SealFinding {
  readonly operation: string;
  readonly path: string;
  readonly message: string;
}

/**
 * Scans an image, changing nothing, and names all that sealing would still change; [] for a sealed one. Works on any
 * unbooted image, whoever sealed it. `skip`: operations that are not asked.
 */
export function proveSealed(root: Rootfs, skip: readonly string[] = []): SealFinding[] {
  return sealOperations
    .filter((operation) => !skip.includes(operation.name))
    .flatMap((operation) =>
      operation
        .find(root)
        .map((edit) => ({ operation: operation.name, path: edit.path, message: describe(edit) })),
    );
}

function describe(edit: Edit): string {
  switch (edit.action) {
    case 'remove':
      return `${edit.path} is still there`;
    case 'empty':
      return `${edit.path} is not empty`;
    case 'write':
      return `${edit.path} does not have the content it should`;
    case 'link':
      return `${edit.path} is no link to ${edit.target}`;
  }
}
