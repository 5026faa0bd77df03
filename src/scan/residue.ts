import { type Context, note } from '../core/context.ts';
import type { NamedSecret } from '../core/named-secret.ts';
import { dataExtents } from '../disk/formats/extents.ts';
import { needlesOf, SHORTEST } from './residue/needles.ts';
import { DiskPlaces, type PlacedPartition } from './residue/place.ts';
import { type FileHit, searchFile } from './residue/search-file.ts';
import { NeedleSet } from './residue/search-stream.ts';
import { searchTree } from './residue/search-tree.ts';
import { UnpackBudget } from './residue/unpack-budget.ts';

/** What is searched: a finished raw disk, free blocks included, or the folder of a finished filesystem. */
export type ResidueSubject =
  | { readonly disk: string; readonly partitions: readonly PlacedPartition[] }
  | { readonly dir: string };

/** What was found of one secret. Never its value. */
export interface SecretResidue {
  readonly name: string;
  readonly status: 'clean' | 'found' | 'not searched';
  /** `as it is in /etc/motd`, `in base64 in a free block of …`. */
  readonly places: readonly string[];
}

export interface ResidueResult {
  readonly secrets: readonly SecretResidue[];
  /** Whether all packed content was unpacked to its end. */
  readonly complete: boolean;
  /** Bytes that were read. */
  readonly searched: number;
  readonly seconds: number;
}

/**
 * Whether a secret value that the build used has stayed in the image: in its files, in blocks that are free again, in
 * what is packed with gzip, xz or zstd. Values that are too short are told as not searched.
 */
export async function searchResidue(
  secrets: readonly NamedSecret[],
  subject: ResidueSubject,
  ctx: Context,
  budget = new UnpackBudget(),
): Promise<ResidueResult> {
  const began = performance.now();
  const { needles, tooShort } = needlesOf(secrets.map(({ value }) => value));
  const set = () => new NeedleSet(needles);
  const places = new Map<number, Set<string>>();
  const tell = (secret: number, place: string): void => {
    places.set(secret, (places.get(secret) ?? new Set()).add(place));
  };
  const context = { host: ctx.host, signal: ctx.signal, budget };
  let searched = 0;
  if (needles.length === 0) note(ctx, 'every secret is too short to be searched');
  else if ('disk' in subject) {
    const { disk, partitions } = subject;
    const found = await searchFile(disk, await dataExtents(disk, ctx), set(), context);
    searched = found.searched;
    const placesOf = new DiskPlaces(ctx.host, disk, partitions);
    for (const hit of found.hits) tell(hit.needle.secret, textOf(hit, await placesOf.describe(hit.offset)));
  } else {
    const found = await searchTree(subject.dir, set(), context);
    searched = found.searched;
    for (const { hit, path } of found.hits) tell(hit.needle.secret, textOf(hit, path));
  }
  return {
    secrets: secrets.map(({ name }, i) => ({
      name,
      status: tooShort.includes(i) ? 'not searched' : places.has(i) ? 'found' : 'clean',
      places: [...(places.get(i) ?? [])],
    })),
    complete: !budget.exceeded,
    searched,
    seconds: (performance.now() - began) / 1000,
  };
}

function textOf({ needle, packing }: FileHit, place: string): string {
  return `${needle.form} in ${packing ? `what is packed with ${packing} in ${place}` : place}`;
}

export interface ResidueCheck {
  readonly name: string;
  readonly passed: boolean;
  readonly message?: string;
}

/** A check for each secret, and one where not all was unpacked, which fails unless a `reason` says why that is fine. */
export function residueChecks(
  { secrets, complete }: Pick<ResidueResult, 'secrets' | 'complete'>,
  reason: string | undefined,
): ResidueCheck[] {
  const checks: ResidueCheck[] = secrets.map((secret) => ({
    name: secret.name,
    passed: secret.status !== 'found',
    ...(secret.status !== 'clean' && { message: residueText(secret) }),
  }));
  if (complete) return checks;
  const [name, code] = ['packed content', 'residue/not-unpacked'];
  const what = 'the image has more packed content than is unpacked: some of it was not searched to its end';
  if (reason !== undefined)
    return [...checks, { name, passed: true, message: `${what}; allowed: ${reason}` }];
  const remedy = 'Take it out of the image, or say in residue { allow_incomplete = "…" } why it may stay';
  return [...checks, { name, passed: false, message: `${what}. ${remedy} [${code}]` }];
}

/** What a person is told of one secret. */
export function residueText({ name, status, places }: SecretResidue): string {
  switch (status) {
    case 'clean':
      return `${name} is not in the image`;
    case 'not searched':
      return `${name} has fewer than ${SHORTEST} bytes, too few to be told from chance: it was not searched`;
    case 'found':
      return (
        `the value of ${name} is in the image: ${places.join(', ')}. ` +
        'Take it away in the step that writes it; give secrets by reference, and let the machine fetch them when it boots.'
      );
  }
}
