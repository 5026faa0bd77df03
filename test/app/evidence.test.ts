import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleOf } from '../../src/app/evidence.ts';
import { parseEvidence } from '../../src/app/evidence-schema.ts';
import { createMask } from '../../src/app/mask.ts';
import { ingotVersion, packageRoot } from '../../src/app/package-root.ts';
import { digestOf } from '../../src/core/digest.ts';
import { IngotError } from '../../src/core/error.ts';
import { type EvidenceBundle, factsOf } from '../../src/core/evidence.ts';
import type { BuildRecord } from '../../src/engine/record.ts';
import { sampleRecord } from './sample-record.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-evidence-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const sample = (o: { vulnerable?: boolean } = {}): BuildRecord => sampleRecord(dir, o);
const evidence = (record: BuildRecord, secrets: string[] = []): EvidenceBundle =>
  bundleOf(record, createMask(secrets));

test('the evidence of a build that was proven in every way', async () => {
  const text = `${JSON.stringify(evidence(sample()), undefined, 2)}\n`;
  const golden = text.replace(`ingot ${ingotVersion()}`, 'ingot VERSION');
  await expect(golden).toMatchFileSnapshot('golden/evidence.json');
});

/** Ajv, which the library for CycloneDX brings. */
function validator(): (data: unknown) => unknown {
  const library = createRequire(import.meta.resolve('@cyclonedx/cyclonedx-library'));
  const name = 'ajv/dist/2020.js';
  const { default: Ajv } = library(name) as {
    default: new (
      o: object,
    ) => {
      compile(schema: unknown): ((data: unknown) => boolean) & { errors?: unknown };
    };
  };
  const schema = JSON.parse(readFileSync(join(packageRoot(), 'schema/evidence.schema.json'), 'utf8'));
  const validate = new Ajv({ strict: true, allErrors: true }).compile(schema);
  return (data) => (validate(data) ? undefined : validate.errors);
}

test('a build that ended with an error says where and why, without secrets', () => {
  const output = ['1', '2', '3', '4', '5', 'token=hunter2hunter2', 'E: no such package'];
  const error = new IngotError('provisioner/failed', 'exit code 100', { step: 'web/shell[1]', output });
  const { verdict } = evidence({ ...sample(), error }, ['hunter2hunter2']);
  expect(verdict).toEqual({
    status: 'failed',
    reasons: [
      {
        step: 'web/shell[1]',
        text: expect.stringMatching(
          /^exit code 100 \[provisioner\/failed\]\.\n3\n4\n5\ntoken=<.*>\nE: no such package$/,
        ),
      },
    ],
  });
});

describe('schema/evidence.schema.json', () => {
  const failed = (): BuildRecord => ({
    ...sample(),
    error: new IngotError('provisioner/failed', 'exit code 1', { step: 'web/shell[1]', hint: 'Look above.' }),
  });
  test.each([
    ['released', () => sample()],
    ['refused', () => sample({ vulnerable: true })],
    ['failed', failed],
  ] as const)('describes the evidence of an image that is %s', (status, record) => {
    const bundle = evidence(record());
    expect(bundle.verdict.status).toBe(status);
    expect(validator()(bundle)).toBeUndefined();
    expect(parseEvidence(JSON.stringify(bundle), 'x')).toEqual(bundle);
  });

  test.each<[string, (b: Record<string, unknown>) => unknown, RegExp]>([
    ['another document', () => ({ a: 1 }), /the document lacks mediaType/],
    ['no object', () => [], /the document is \[\]; expected object/],
    ['another verdict', (b) => ({ ...b, verdict: { status: 'fine', reasons: [] } }), /status is "fine"/],
    ['tests that are none', (b) => ({ ...b, tests: [7] }), /tests › 0 is 7; expected object/],
    [
      'a size that is none',
      (b) => ({ ...b, outputs: [{ ...(b.outputs as object[])[0], size: -1 }] }),
      /size/,
    ],
    ['a digest that is none', (b) => ({ ...b, inputs: { suites: [], lock: 'sha256:x' } }), /lock is/],
    [
      'counts that are none',
      (b) => ({ ...b, sbom: { documents: [], packages: { deb: 'x' } } }),
      /deb is "x"/,
    ],
  ])('refuses %s, as Ajv does', (_what, change, message) => {
    const changed = change(JSON.parse(JSON.stringify(evidence(sample()))));
    expect(validator()(changed)).toBeDefined();
    expect(() => parseEvidence(JSON.stringify(changed), 'x.json')).toThrow(message);
  });

  test('what is no JSON is refused', () => {
    expect(() => parseEvidence('{', 'x.json')).toThrow(/x\.json is no evidence/);
  });
});

describe('verdict', () => {
  test('an image whose test failed is refused, and each failed check is a reason', () => {
    expect(evidence(sample({ vulnerable: true })).verdict).toEqual({
      status: 'refused',
      reasons: [
        {
          step: 'web/vulnerabilities',
          text: 'CVE-2026-1001 in curl: curl 7.88.1-10+deb12u8 is installed; 7.88.1-10+deb12u12 has the fix',
        },
        { step: 'web/vulnerabilities', text: expect.stringMatching(/^CVE-2026-1002 in .*: no fix$/) },
      ],
    });
  });

  test('a build that ended with an error failed, and a test that it did not reach is skipped', () => {
    const record = sample();
    const steps = record.steps.map(({ step }) => ({ step }));
    const error = new IngotError('provisioner/failed', 'exit code 1', { step: 'web/shell[1]' });
    const { release: _release, ...rest } = record;
    const bundle = evidence({ ...rest, steps, tests: new Map(), error });
    expect(bundle.verdict).toEqual({
      status: 'failed',
      reasons: [{ step: 'web/shell[1]', text: 'exit code 1 [provisioner/failed].' }],
    });
    expect(new Set(bundle.tests.map((t) => t.result))).toEqual(new Set(['skipped']));
  });

  test('an image without a release is built; one about to be released is released', () => {
    const { release: _release, ...record } = sample();
    expect(bundleOf(record, createMask()).verdict.status).toBe('built');
    expect(bundleOf(record, createMask(), true).verdict.status).toBe('released');
  });
});

test('only run and release differ between two builds with the same results', () => {
  const record = sample();
  const cached = record.steps.map(({ end, ...rest }) => ({
    ...rest,
    ...(end && { end: { status: 'cached' as const, start: 0, seconds: 0 } }),
  }));
  const { release: _release, ...rest } = record;
  const again = { ...rest, started: new Date('2027-01-01T00:00:00Z'), seconds: 2, steps: cached };
  const [first, second] = [evidence(record), bundleOf(again, createMask(), true)];
  expect(second.run).not.toEqual(first.run);
  expect(digestOf(factsOf(second))).toBe(digestOf(factsOf(first)));
});

test('no secret value is in it, and a secret that is a word of ours breaks nothing', () => {
  const record = sample({ vulnerable: true });
  const text = JSON.stringify(evidence(record, ['deb12u8', 'passed', 'sha256', 'ingot', 'fails']));
  expect(text).not.toContain('deb12u8');
  expect(text).toContain('7.88.1-10+<sensitive> is installed');
  expect(parseEvidence(text, 'x').tests[0]?.result).toBe('passed');
});
