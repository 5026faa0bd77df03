import { join } from 'node:path';
import { type Recovered, recover } from '../host/index.ts';
import { forgetDeadContainers } from '../machines/container/nspawn-residue.ts';
import { aptCache } from '../sources/mmdebstrap/blobs.ts';
import { dropDeadLayerLeases } from '../store/layer-cache.ts';
import type { Paths } from './paths.ts';

/** Takes away all that killed runs left: what they had mounted and started, their folders, half-finished downloads. */
export async function recoverAll({ cacheDir, leases }: Paths): Promise<Recovered[]> {
  const recovered = await recover(leases, join(cacheDir, 'tmp'));
  await dropDeadLayerLeases(cacheDir);
  await forgetDeadContainers();
  const downloads = await aptCache({ cacheDir }).dropAbandoned();
  return [...recovered, ...downloads.map((target): Recovered => ({ kind: 'file', target }))];
}
