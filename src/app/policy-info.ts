import type { PolicyInfo } from '../plan/catalog.ts';
import { ANY_SBOM, CLONES, REPRODUCIBLE } from '../policy/proofs.ts';
import { POLICY_VERSION, policySpec } from '../policy/spec.ts';
import { sealOperations } from '../seal/index.ts';

/** The policy as the plan sees it: `tests` and `sboms` are what a release may be asked to be proven by. */
export function policyInfo(tests: readonly string[], sboms: readonly string[]): PolicyInfo {
  const operations = sealOperations.map(({ name }) => name);
  const proofs = [...tests, CLONES, ...sboms, ANY_SBOM, REPRODUCIBLE];
  return {
    version: POLICY_VERSION,
    spec: policySpec({ proofs, sealOperations: operations }),
    problems: async (o, asked, templateDir) =>
      (await import('./policy-checks.ts')).problemsOf(o, asked, templateDir, sboms),
    files: async (o, templateDir) => (await import('./policy-checks.ts')).filesOf(o, templateDir),
    shipped: async (o) => (await import('./policy-checks.ts')).shippedDigests(o),
    today: async (o, baseDate, now) => (await import('./policy-checks.ts')).todayOf(o, baseDate, now),
  };
}
