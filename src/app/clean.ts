import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { IngotError } from '../core/error.ts';
import { livingOwners, type Recovered } from '../host/index.ts';
import { recoverAll } from './recover.ts';
import { type Deps, openSession } from './session.ts';

/** Everything that Ingot keeps in its cache folder. Named one by one: the folder may be one of the user's. */
const PARTS = [
  'layers',
  'layer-leases',
  'apt',
  'initramfs',
  'downloads',
  'oci',
  'dockerfile',
  'buildah',
  'vulnerabilities',
  'hashes',
  'vm',
  'buildah.lock',
  'code',
  'searched.txt',
  'packed.txt',
  'tmp',
  'leases',
  'hmac.key',
];

export interface CleanReport {
  readonly recovered: readonly Recovered[];
  readonly removedCache: boolean;
}

/**
 * `ingot clean`: takes away what killed builds left behind; with `all` the caches, too (never releases). Throws
 * `app/in-use` rather than take the caches from under a running build.
 */
export async function clean(options: { readonly all?: boolean }, deps: Deps): Promise<CleanReport> {
  const { paths } = openSession(deps);
  const recovered = await recoverAll(paths);
  if (options.all) {
    const users = livingOwners(paths.leases);
    if (users.length > 0) {
      const message = `${paths.cacheDir} is in use by process ${users.join(', ')}; expected no running build`;
      throw new IngotError('app/in-use', message, {
        hint: 'Wait for it to end, or stop it; then clean again.',
      });
    }
    for (const part of PARTS) await rm(join(paths.cacheDir, part), { recursive: true, force: true });
  }
  return { recovered, removedCache: options.all ?? false };
}
