import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../core/host.ts';
import { type LayerChain, layerFs } from '../core/layer.ts';
import { Scope } from '../core/scope.ts';

/** A mounted view of a chain; `upper` holds what is written, where it is writable. */
export interface MountedChain extends AsyncDisposable {
  readonly dir: string;
  readonly upper: string;
  /** Unmounts and keeps `upper`, for whoever takes it; the rest goes on dispose. */
  unmount(): Promise<void>;
}

/** Mounts a chain below `parent`, read-only or with an empty upper folder on the same filesystem. */
export async function mountChain(
  host: Host,
  chain: LayerChain,
  options: { readonly parent: string; readonly writable?: boolean },
): Promise<MountedChain> {
  await using scope = new Scope();
  const scratch = scope.use(await host.scratch(options.parent, 'chain-'), 'folder of a view');
  const at = (name: string): string => {
    mkdirSync(join(scratch.dir, name), { mode: 0o755 });
    return join(scratch.dir, name);
  };
  // An overlay without an upper folder wants two lower ones: an empty one goes below.
  const lower = [at('empty'), ...chain.map(layerFs)];
  const upper = at('upper');
  const mount = scope.use(
    await host.mountOverlay({
      lower,
      target: at('view'),
      ...(options.writable && { upper, work: at('work') }),
    }),
    'view of an image',
  );
  const held = scope.move();
  return {
    dir: mount.target,
    upper,
    unmount: () => mount[Symbol.asyncDispose]() as Promise<void>,
    [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
  };
}
