import { gossTestFiles } from '../checks/goss/test-files.ts';
import { hardeningId } from '../checks/hardening.ts';
import { type Digest, digestOf, type Json } from '../core/digest.ts';
import { DiagnosticsError } from '../core/error.ts';
import type { PolicyProblem, ProofsAsked } from '../plan/catalog.ts';
import { answersOfToday } from '../policy/judge.ts';
import { sourcesOfProof } from '../policy/proofs.ts';
import { EVERY_OPERATION, isGossFile, type PolicyOptions } from '../policy/spec.ts';
import { sealOperations } from '../seal/index.ts';
import { nearest } from '../template/index.ts';
import { hardeningFile, shippedTexts } from './policy-files.ts';

/** Ids of findings that are none of a hardening check. */
const OTHER_IDS = /^(?:package|privileged):.|^(?:base-age|vulnerability-data-age)$/;

/** As PolicyInfo has it. */
export function problemsOf(
  o: PolicyOptions,
  asked: ProofsAsked,
  templateDir: string,
  sboms: readonly string[],
): PolicyProblem[] {
  const operations = sealOperations.map(({ name }) => name);
  return [
    ...missingProofs(o, asked, sboms),
    ...missingOperations(o, asked.seal, operations),
    ...wrongFiles(o, templateDir),
  ];
}

/** The user's files that the policy reads; undefined where that cannot be told. */
export function filesOf(o: PolicyOptions, templateDir: string): readonly string[] | undefined {
  const own = o.hardening.filter(isGossFile);
  const files = own.map((file) => gossTestFiles(gossOptions(file), templateDir));
  return files.every((f) => f !== undefined) ? files.flat() : undefined;
}

/** Digests of the lists and checks of ours that it names. */
export function shippedDigests(o: PolicyOptions): Digest[] {
  return shippedTexts(o).map((text) => digestOf(text));
}

/** What of the answer depends on the day. */
export function todayOf(o: PolicyOptions, baseDate: number | undefined, now: Date): Json {
  const { oldBase, ended } = answersOfToday(o, baseDate === undefined ? undefined : baseDate * 1000, now);
  return { oldBase, ended };
}

function gossOptions(file: string): Parameters<typeof gossTestFiles>[0] {
  return {
    file,
    vars: undefined,
    vars_inline: undefined,
    strict: false,
    boot: false,
    machine: 'container',
    retry_timeout: 0,
    sleep: 0,
  };
}

function missingProofs(
  o: PolicyOptions,
  { tests, outputs }: ProofsAsked,
  sboms: readonly string[],
): PolicyProblem[] {
  const wanted = o.require.map((proof, i) => ({ proof, path: ['require', i] }));
  if (o.max_vulnerability_data_age !== undefined && !o.require.includes('vulnerabilities'))
    wanted.push({ proof: 'vulnerabilities', path: ['max_vulnerability_data_age'] });
  return wanted.flatMap(({ proof, path }): PolicyProblem[] => {
    const from = sourcesOfProof(proof, sboms);
    const there =
      from.tests.some((type) => tests.some((t) => t.type === type)) ||
      from.outputs.some((format) => outputs.includes(format));
    if (there || (from.tests.length === 0 && from.outputs.length === 0)) return [];
    const blocks = [
      ...from.tests.map((type) => `test "${type}"`),
      ...from.outputs.map((f) => `output "${f}"`),
    ];
    const message = `the policy requires "${proof}", and the image has no ${blocks.join(' or ')}`;
    return [{ code: 'policy/missing-proof', path, message, hint: `Add ${blocks[0]} { … }.` }];
  });
}

function missingOperations(o: PolicyOptions, seal: unknown, operations: readonly string[]): PolicyProblem[] {
  const { enabled = true, skip = [] } = (seal ?? {}) as { enabled?: boolean; skip?: readonly string[] };
  return o.seal.flatMap((name, i): PolicyProblem[] => {
    const wanted = name === EVERY_OPERATION ? operations : [name];
    const left = wanted.filter((operation) => !enabled || skip.includes(operation));
    if (left.length === 0) return [];
    const message = enabled
      ? `the policy requires the seal operation ${left.join(', ')}, and seal { skip } leaves it out`
      : 'the policy requires seal operations, and seal { enabled } is false';
    const hint = 'Take it out of seal { skip }, or out of the policy.';
    return [{ code: 'policy/missing-seal-operation', path: ['seal', i], message, hint }];
  });
}

/** Hardening files that can't be read, and exceptions of checks that there are none of. */
function wrongFiles(o: PolicyOptions, templateDir: string): PolicyProblem[] {
  const ids = new Set<string>();
  const problems: PolicyProblem[] = [];
  for (const [i, name] of o.hardening.entries()) {
    try {
      for (const resource of hardeningFile(name, templateDir).resources) ids.add(hardeningId(resource));
    } catch (error) {
      if (!(error instanceof DiagnosticsError)) throw error;
      for (const { code, message, range, hint } of error.diagnostics) {
        const where = range ? `${name}:${range.start.line}: ` : '';
        const path = ['hardening', i];
        problems.push({ code, path, message: `${where}${message}`, ...(hint !== undefined && { hint }) });
      }
    }
  }
  if (problems.length > 0) return problems;
  return o.except.flatMap(({ id }, i): PolicyProblem[] => {
    if (ids.has(id) || OTHER_IDS.test(id)) return [];
    const near = nearest(id, [...ids, 'base-age', 'vulnerability-data-age']);
    const hint =
      near === undefined
        ? 'Take the id from the failed check, such as package:telnet.'
        : `Did you mean "${near}"?`;
    const message = `no check of this policy has the id "${id}"`;
    return [{ code: 'policy/unknown-exception', path: ['except', i, 'id'], message, hint }];
  });
}
