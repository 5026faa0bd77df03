import { readFileSync } from 'node:fs';
import { type Digest, isDigest } from '../core/digest.ts';
import {
  EVIDENCE_TYPE,
  type EvidenceBundle,
  type EvidenceOutput,
  type EvidenceSeal,
  type EvidenceTest,
  type VerdictReason,
  type VerdictStatus,
} from '../core/evidence.ts';
import type { StepResult } from '../core/plugin.ts';
import type { BuildRecord } from '../engine/record.ts';
import { isSbomFormat } from '../scan/sbom/formats.ts';
import { readBom } from '../scan/sbom/read.ts';
import { scansOf } from './evidence-tests.ts';
import { hideIn, type Mask } from './mask.ts';
import { ingotVersion } from './package-root.ts';

/** Keys whose texts are words of ours, dates or digests: a secret that is such a word by chance does not break them. */
const OURS: ReadonlySet<string> = new Set([
  'mediaType',
  'status',
  'result',
  'kind',
  'type',
  'verdict',
  'state',
  'severity',
  'action',
  'format',
  'digest',
  'template',
  'lock',
  'dev.ingot.template',
  'dev.ingot.lock',
  'started',
  'date',
  'tool',
]);

/** Lines that a failed step printed last: they often say why. */
const LAST_WORDS = 5;

/**
 * The evidence of a build, from what its steps left, with every secret hidden. `releasing`: the build is about to be
 * released, so that every proof before has said yes.
 */
export function bundleOf(record: BuildRecord, mask: Mask, releasing = false): EvidenceBundle {
  const { image, lock, release } = record;
  const { annotations } = image;
  const tests = testsOf(record);
  const outputs = record.outputs.map(
    ({ format, fileName, digest, size }): EvidenceOutput => ({ format, file: fileName, digest, size }),
  );
  const seal = sealOf(record);
  const sbom = sbomOf(record, outputs);
  const entry = lock.entries[`${image.source.type}.${image.source.name}`];
  const digest = (key: string): Digest | undefined =>
    isDigest(annotations[key]) ? annotations[key] : undefined;
  const template = digest('dev.ingot.template');
  const locked = digest('dev.ingot.lock');
  const revision = annotations['org.opencontainers.image.revision'];
  const bundle: EvidenceBundle = {
    mediaType: EVIDENCE_TYPE,
    image: {
      name: image.name,
      version: image.version,
      build: image.build,
      ...(revision !== undefined && { revision }),
      dirty: annotations['dev.ingot.dirty'] === 'true',
      epoch: image.epoch,
      annotations,
    },
    verdict: verdictOf(record, tests, releasing),
    inputs: {
      ...(template && { template }),
      ...(locked && { lock: locked }),
      ...baseOf(annotations),
      suites: (entry?.kind === 'apt' ? entry.suites : []).map(({ archive, suite, date, inRelease }) => ({
        archive,
        suite,
        date: new Date(date * 1000).toISOString(),
        digest: inRelease,
      })),
    },
    steps: record.steps.map(({ step: { id, spec, label, title, volatile }, end, result }) => {
      const summary = summaryOf(result) ?? (end?.status === 'failed' ? undefined : end?.detail);
      return {
        label,
        title,
        kind: spec.kind,
        type: spec.type,
        digest: id,
        ...(volatile !== undefined && { volatile }),
        ...(summary !== undefined && spec.kind !== 'release' && { summary }),
      };
    }),
    ...(seal && { seal }),
    tests,
    ...(sbom && { sbom }),
    ...scansOf(
      record.steps.flatMap(({ step: { id, label, spec } }) => {
        const outcome = record.tests.get(id);
        return outcome ? [{ step: label, type: spec.type, data: outcome.data }] : [];
      }),
    ),
    outputs,
    run: {
      tool: `ingot ${ingotVersion()}`,
      started: record.started.toISOString(),
      seconds: rounded(record.seconds),
      steps: record.steps.flatMap(({ step: { label }, end }) =>
        end ? [{ label, status: end.status, start: rounded(end.start), seconds: rounded(end.seconds) }] : [],
      ),
    },
    ...(release && { release: { digest: release.digest, store: release.store } }),
  };
  return hideIn(bundle, mask, OURS);
}

function verdictOf(
  { release, error }: BuildRecord,
  tests: readonly EvidenceTest[],
  releasing: boolean,
): EvidenceBundle['verdict'] {
  const verdict = (status: VerdictStatus, reasons: readonly VerdictReason[] = []) => ({ status, reasons });
  if (error) {
    const hint = error.hint === undefined ? '' : ` ${error.hint}`;
    const words = error.output.slice(-LAST_WORDS).map((line) => `\n${line}`);
    const text = `${error.message} [${error.code}].${hint}${words.join('')}`;
    return verdict('failed', [{ step: error.step ?? '', text }]);
  }
  const failed = tests.filter((t) => t.result === 'failed');
  if (failed.length > 0) return verdict('refused', failed.flatMap(reasonsOf));
  return verdict(release || releasing ? 'released' : 'built');
}

function reasonsOf({ step, checks }: EvidenceTest): VerdictReason[] {
  const failed = checks.filter((c) => !c.passed);
  if (failed.length === 0) return [{ step, text: 'the test failed' }];
  return failed.map(({ name, message }) => ({
    step,
    text: message === undefined ? name : `${name}: ${message}`,
  }));
}

function testsOf({ steps, tests }: BuildRecord): EvidenceTest[] {
  return steps
    .filter(({ step }) => step.spec.kind === 'test')
    .map(({ step: { id, label, spec }, end }) => {
      const outcome = tests.get(id);
      const ended = end?.status === 'failed' ? 'failed' : 'skipped';
      const result = outcome ? (outcome.passed ? 'passed' : 'failed') : ended;
      const checks = (outcome?.checks ?? []).map(({ name, passed, message, seconds, stages }) => ({
        name,
        passed,
        ...(message !== undefined && { message }),
        ...(seconds !== undefined && { seconds: rounded(seconds) }),
        ...(stages && { stages: stages.map((stage) => ({ ...stage, seconds: rounded(stage.seconds) })) }),
      }));
      const skipped = outcome?.skipped ?? [];
      return { step: label, type: spec.type, result, checks, ...(skipped.length > 0 && { skipped }) };
    });
}

function sealOf({ steps }: BuildRecord): EvidenceSeal | undefined {
  const result = steps.find(({ step }) => step.spec.kind === 'seal')?.result as EvidenceSeal | undefined;
  return Array.isArray(result?.operations)
    ? { summary: result.summary, operations: result.operations }
    : undefined;
}

function sbomOf(record: BuildRecord, outputs: readonly EvidenceOutput[]): EvidenceBundle['sbom'] {
  const documents = outputs.filter(({ format }) => isSbomFormat(format));
  const bill = record.outputs.find(({ format }) => isSbomFormat(format));
  if (!bill) return undefined;
  const packages: Record<string, number> = {};
  for (const { type } of readBom(readFileSync(bill.path, 'utf8'), bill.fileName))
    packages[type] = (packages[type] ?? 0) + 1;
  return { documents, packages };
}

function baseOf(annotations: Readonly<Record<string, string>>): Pick<EvidenceBundle['inputs'], 'base'> {
  const name = annotations['org.opencontainers.image.base.name'];
  const digest = annotations['org.opencontainers.image.base.digest'];
  return name === undefined || digest === undefined ? {} : { base: { name, digest } };
}

function summaryOf(result: BuildRecord['steps'][number]['result']): string | undefined {
  const summary = typeof result === 'object' && result !== null ? (result as StepResult).summary : undefined;
  return typeof summary === 'string' ? summary : undefined;
}

/** Seconds to the millisecond. */
function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
