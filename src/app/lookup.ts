import { IngotError } from '../core/error.ts';
import { lookupRelease } from '../release/lookup.ts';
import type { Release } from '../release/manifest.ts';
import { storeOf } from './release.ts';
import type { Deps } from './session.ts';

export interface LookupOptions {
  /** `web@1.2.0`, `web@dev`, `web@sha256:…` or `web`. */
  readonly reference: string;
  /** Keeps this format only. */
  readonly output?: string;
  readonly store?: string;
}

/** `ingot lookup`: the release, with the outputs that were asked for. Throws `release/no-output` when it has none such. */
export async function lookup(o: LookupOptions, deps: Deps): Promise<Release> {
  const release = await lookupRelease(await storeOf(o.store, deps), o.reference);
  if (o.output === undefined) return release;
  const outputs = release.outputs.filter((output) => output.format === o.output);
  if (outputs.length === 0) {
    const has = release.outputs.map((output) => output.format).join(', ');
    throw new IngotError(
      'release/no-output',
      `${release.name}@${release.version} has no output "${o.output}"; it has ${has}`,
      {
        hint: `Add output "${o.output}" { } to the image file and release a new version.`,
      },
    );
  }
  return { ...release, outputs };
}
