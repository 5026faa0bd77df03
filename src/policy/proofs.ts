import type { Json } from '../core/digest.ts';
import type { ProofFact } from './judge.ts';

/** Stands for a bill of materials in any format. */
export const ANY_SBOM = 'sbom';
/** Clones of the image were booted and compared: a part of the test "boot". */
export const CLONES = 'clones';

/** Two builds of the image gave the same bytes: of `ingot build --verify-reproducible`. */
export const REPRODUCIBLE = 'reproducible';

/** A test that ended, or did not. */
export interface EndedTest {
  readonly type: string;
  readonly outcome?: {
    readonly passed: boolean;
    readonly checks: readonly { readonly passed: boolean }[];
    readonly data: Json;
  };
}

/** What must be in the image file for a proof: tests or outputs, one of which is enough; neither where nothing must. */
export function sourcesOfProof(
  proof: string,
  sboms: readonly string[],
): { readonly tests: readonly string[]; readonly outputs: readonly string[] } {
  if (proof === REPRODUCIBLE) return { tests: [], outputs: [] };
  if (proof === ANY_SBOM) return { tests: [], outputs: sboms };
  if (sboms.includes(proof)) return { tests: [], outputs: [proof] };
  return { tests: [proof === CLONES ? 'boot' : proof], outputs: [] };
}

/**
 * What is wrong with a required proof now that the tests have ended. A test that checked nothing is no proof; bills of
 * materials are written or the build fails. `differing`: formats that two builds made differently.
 */
export function proofFact(
  name: string,
  tests: readonly EndedTest[],
  sboms: readonly string[],
  differing?: readonly string[],
): ProofFact {
  if (name === REPRODUCIBLE) return { name, ...reproducibleProblem(differing) };
  const types = sourcesOfProof(name, sboms).tests;
  if (types.length === 0) return { name };
  const found = tests.filter(({ type }) => types.includes(type));
  const problem = found.length === 0 ? 'the image file has no such test' : worst(name, found);
  return { name, ...(problem !== undefined && { problem }) };
}

function reproducibleProblem(differing: readonly string[] | undefined): Pick<ProofFact, 'problem'> {
  if (!differing)
    return { problem: 'the image was not built twice; build it with `ingot build --verify-reproducible`' };
  return differing.length === 0 ? {} : { problem: `two builds differ in ${differing.join(', ')}` };
}

function worst(name: string, found: readonly EndedTest[]): string | undefined {
  for (const { outcome } of found) {
    if (!outcome) return 'the test did not come to an end';
    const failed = outcome.checks.filter(({ passed }) => !passed).length;
    if (!outcome.passed) return `${failed} of its checks failed: see there`;
    if (outcome.checks.length === 0) return 'the test checked nothing';
  }
  if (name !== CLONES || found.some(({ outcome }) => comparedClones(outcome?.data))) return undefined;
  return 'no two boots of the image were compared; set clones = true in test "boot"';
}

function comparedClones(data: Json | undefined): boolean {
  const { clones } = (data ?? {}) as { readonly clones?: { readonly compared?: readonly string[] } };
  return (clones?.compared?.length ?? 0) > 0;
}

/** Oldest date of the databases that the test "vulnerabilities" looked into, milliseconds since 1970. */
export function vulnerabilityDate(tests: readonly EndedTest[]): number | undefined {
  const dates = tests
    .filter(({ type }) => type === 'vulnerabilities')
    .flatMap(({ outcome }) => {
      const { databases = [] } = (outcome?.data ?? {}) as { databases?: readonly { date: string }[] };
      return databases.map(({ date }) => Date.parse(date));
    });
  return dates.length === 0 ? undefined : Math.min(...dates);
}
