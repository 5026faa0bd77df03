import { homedir } from 'node:os';
import { join } from 'node:path';
import { userReleases } from '../release/user-releases.ts';

/** Where Ingot keeps things between runs (XDG base directory specification 0.8). */
export interface Paths {
  /** Layers, packages, indexes: may be deleted at any time, at the price of a slower build. */
  readonly cacheDir: string;
  /** Releases: the user's data. */
  readonly releases: string;
  /** Leases of what is mounted and running. */
  readonly leases: string;
}

/** From `INGOT_CACHE_DIR`, `INGOT_DATA_DIR`, the XDG variables, or below the home folder. */
export function pathsFrom(env: NodeJS.ProcessEnv): Paths {
  const home = env.HOME || homedir();
  const cacheDir = env.INGOT_CACHE_DIR || join(env.XDG_CACHE_HOME || join(home, '.cache'), 'ingot');
  return { cacheDir, releases: userReleases(env), leases: join(cacheDir, 'leases') };
}
