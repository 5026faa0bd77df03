import { type ListedRelease, listReleases as list, lookupRelease } from '../release/lookup.ts';
import { type ReleaseEvidence, releaseEvidence } from '../release/evidence.ts';
import type { Release } from '../release/manifest.ts';
import { openStore, type ReleaseStore } from '../release/release-store.ts';
import { type Deps, openSession } from './session.ts';

/** Opens the store that was named, from the working folder, or the user's own. */
export async function storeOf(store: string | undefined, deps: Deps): Promise<ReleaseStore> {
  return await openStore(store ?? `oci-layout:${openSession(deps).paths.releases}`, process.cwd());
}

/** `ingot release list`. */
export async function listReleases(
  o: { readonly name?: string; readonly store?: string },
  deps: Deps,
): Promise<ListedRelease[]> {
  return await list(await storeOf(o.store, deps), o.name);
}

/** `ingot release show`: a release and what speaks for it. */
export async function showRelease(
  o: { readonly reference: string; readonly store?: string },
  deps: Deps,
): Promise<Release & { readonly evidence: readonly ReleaseEvidence[] }> {
  const store = await storeOf(o.store, deps);
  const release = await lookupRelease(store, o.reference);
  return { ...release, evidence: await releaseEvidence(store, release) };
}
