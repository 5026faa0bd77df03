import { checkHardening } from '../checks/hardening.ts';
import type { Context } from '../core/context.ts';
import { plain } from '../core/plain.ts';
import { IngotError } from '../core/error.ts';
import type { Rootfs } from '../core/rootfs.ts';
import type { TestSubject } from '../engine/environment.ts';
import { openRootfs } from '../host/index.ts';
import type { PolicyStepOptions, TestOutcome } from '../plan/catalog.ts';
import { type HardeningCheck, judgePolicy, type PolicyFacts } from '../policy/judge.ts';
import { privilegedFiles } from '../policy/privileged-files.ts';
import { proofFact, vulnerabilityDate } from '../policy/proofs.ts';
import type { PolicyOptions } from '../policy/spec.ts';
import { takeInventory } from '../scan/packages/inventory.ts';
import { sbomFormats } from '../scan/sbom/formats.ts';
import { comparatorOf, ecosystemOf } from '../scan/vulnerabilities/ecosystems.ts';
import { hardeningFile, privilegeRules } from './policy-files.ts';

/** Holds a finished filesystem, and what its tests answered, against the policy of its image file. */
export async function testPolicy(
  { dir, tests = [] }: TestSubject,
  { policy, baseDate, differing }: PolicyStepOptions,
  ctx: Context,
): Promise<TestOutcome> {
  if (dir === undefined) throw new IngotError('internal/unexpected', 'a policy has no filesystem to look at');
  const o = policy as PolicyOptions;
  const root = openRootfs(dir);
  const vulnerabilities = vulnerabilityDate(tests);
  const facts: PolicyFacts = {
    proofs: o.require.map((name) =>
      proofFact(
        name,
        tests,
        sbomFormats.map(({ type }) => type),
        differing,
      ),
    ),
    ...(baseDate !== undefined && { baseDate: baseDate * 1000 }),
    ...(vulnerabilities !== undefined && { vulnerabilityDate: vulnerabilities }),
    ...(o.forbid_packages.length > 0 && packagesOf(root)),
    ...(o.allow_privileged && {
      privileged: await privilegedFiles(dir, ctx),
      privilegeRules: privilegeRules(o),
    }),
    hardening: await hardeningOf(o, root, ctx),
  };
  const result = judgePolicy(o, facts, ctx.clock.now());
  const { passed, checks } = result;
  return { passed, checks, data: plain(result) };
}

function packagesOf(root: Rootfs): Pick<PolicyFacts, 'packages' | 'unreadPackages'> {
  const { packages, findings, managers, os } = takeInventory(root);
  const errors = findings.filter(({ severity }) => severity === 'error');
  const unread = errors.map(({ path, message }) => `${path}: ${message}`);
  if (managers.length === 0 && packages.length === 0) unread.push('the image has no package database');
  return {
    unreadPackages: unread,
    packages: packages.map((found) => {
      const compare = comparatorOf(ecosystemOf(found, os) ?? '');
      return { type: found.type, name: found.name, version: found.version, ...(compare && { compare }) };
    }),
  };
}

/** Checks of every set; one that several sets hold is made once for each, and a failure told once. */
async function hardeningOf(o: PolicyOptions, root: Rootfs, ctx: Context): Promise<HardeningCheck[]> {
  const checks: HardeningCheck[] = [];
  for (const set of o.hardening) {
    const results = await checkHardening(hardeningFile(set, ctx.templateDir), root, ctx);
    checks.push(...results.map((result) => ({ set, ...result })));
  }
  return checks;
}
