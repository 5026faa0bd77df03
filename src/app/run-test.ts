import { checkBoot, type BootTestOptions } from '../checks/boot.ts';
import type { CloneResult } from '../checks/boot/clones.ts';
import type { ExecTestOptions } from '../checks/exec.ts';
import type { GossTestOptions } from '../checks/goss.ts';
import { type Context, note } from '../core/context.ts';
import type { Json } from '../core/digest.ts';
import type { NamedSecret } from '../core/named-secret.ts';
import { IngotError } from '../core/error.ts';
import type { TestSubject } from '../engine/environment.ts';
import { openRootfs } from '../host/index.ts';
import type { PolicyStepOptions, ResidueStepOptions, TestOutcome } from '../plan/catalog.ts';
import { findingText, searchPatterns } from '../scan/patterns.ts';
import type { PatternOptions } from '../scan/patterns/spec.ts';
import { residueChecks, residueText, searchResidue } from '../scan/residue.ts';
import type { PlacedPartition } from '../scan/residue/place.ts';
import { checkVulnerabilities, type VulnerabilityOptions } from '../scan/vulnerabilities.ts';
import { listReferenceSources } from '../secrets/list-references.ts';
import { describeReference } from '../secrets/reference.ts';
import { testExec } from './exec-test.ts';
import { testGoss } from './goss.ts';
import { testPolicy } from './policy.ts';
import { plain } from '../core/plain.ts';

/** One test of the image file or of ours, on what the engine has built. */
export async function runTest(
  type: string,
  subject: TestSubject,
  options: unknown,
  ctx: Context,
): Promise<TestOutcome> {
  if (type === 'policy') return await testPolicy(subject, options as PolicyStepOptions, ctx);
  if (type === 'residue') return await testResidue(subject, options as ResidueStepOptions, ctx);
  if (type === 'vulnerabilities' && subject.dir !== undefined) {
    const report = await checkVulnerabilities(openRootfs(subject.dir), options as VulnerabilityOptions, ctx);
    return { passed: report.passed, checks: report.checks, data: plain(report) };
  }
  if (type === 'goss' && subject.disk !== undefined)
    return await testGoss(subject.disk, options as GossTestOptions, ctx);
  if (type === 'exec' && subject.disk !== undefined)
    return await testExec(subject.disk, options as ExecTestOptions, ctx);
  if (type === 'secrets' && subject.dir !== undefined)
    return await testPatterns(subject.dir, options as PatternOptions, ctx);
  if (type !== 'boot' || subject.disk === undefined) {
    throw new IngotError('internal/unexpected', `there is no test of type ${type} for this subject`);
  }
  const result = await checkBoot({ ...(options as BootTestOptions), image: subject.disk }, ctx);
  for (const { name, status, console } of result.cases)
    if (status === 'failed') for (const line of console) note(ctx, `${name}: ${line}`);
  return {
    passed: result.status === 'passed',
    checks: [
      ...result.cases
        .filter((c) => c.status !== 'skipped')
        .map((c) => ({
          name: c.name,
          passed: c.status === 'passed',
          ...(c.message !== undefined && { message: c.message }),
          ...(c.bootSeconds !== undefined && { seconds: c.bootSeconds }),
          ...(c.stages && { stages: c.stages }),
        })),
      ...(result.clones ? [clonesCheck(result.clones)] : []),
    ],
    data: plain(result),
  };
}

/** A check for each file that something was found in; one for all where nothing was. */
async function testPatterns(dir: string, options: PatternOptions, ctx: Context): Promise<TestOutcome> {
  const result = await searchPatterns(dir, options, ctx);
  const failed = [
    ...result.findings.map((finding) => ({ name: finding.path, message: findingText(finding) })),
    ...result.tooLarge.map((path) => ({
      name: path,
      message: `${path} was not searched: it is too large. Make it smaller, or name it in \`allow\` with a reason`,
    })),
  ].map((check) => ({ ...check, passed: false }));
  const clean = { name: 'no secrets', passed: true, message: `${result.files} text files searched` };
  return {
    passed: failed.length === 0,
    checks: failed.length === 0 ? [clean] : failed,
    data: plain(result),
  };
}

function clonesCheck({ compared, equal }: CloneResult): TestOutcome['checks'][number] {
  const message = equal.length > 0 ? equal.join('; ') : `compared: ${compared.join(', ')}`;
  return { name: 'clones differ', passed: equal.length === 0, message };
}

/** The values of references, each by its reference; from the run's own resolver, so that nothing is asked twice. */
async function fetchNamed(
  texts: readonly string[],
  allowed: readonly string[],
  ctx: Context,
): Promise<NamedSecret[]> {
  const sources = new Set(texts.flatMap(listReferenceSources));
  return await Promise.all(
    [...sources]
      .filter((source) => !allowed.includes(describeReference(source)))
      .map(async (source) => ({
        name: describeReference(source),
        value: await ctx.secrets.resolve(source),
      })),
  );
}

async function testResidue(
  { disk, facts, dir = '' }: { readonly disk?: string; readonly facts?: Json; readonly dir?: string },
  { secrets, references, allowed, incomplete }: ResidueStepOptions,
  ctx: Context,
): Promise<TestOutcome> {
  const all = [...secrets, ...(await fetchNamed(references, allowed, ctx))];
  const partitions = (facts as { partitions?: readonly PlacedPartition[] } | undefined)?.partitions ?? [];
  const result = await searchResidue(all, disk === undefined ? { dir } : { disk, partitions }, ctx);
  for (const secret of result.secrets) {
    if (secret.status !== 'not searched') continue;
    const message = residueText(secret);
    const hint = 'Use a longer value; one of so few bytes is soon guessed, too.';
    const diagnostic = { code: 'residue/too-short', severity: 'warning' as const, message, hint };
    ctx.emit({ type: 'diagnostic', diagnostic });
  }
  const checks = residueChecks(result, incomplete);
  return { passed: checks.every(({ passed }) => passed), checks, data: plain(result) };
}
