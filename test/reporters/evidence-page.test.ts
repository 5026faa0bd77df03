import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { join } from 'node:path';
import { bundleOf } from '../../src/app/evidence.ts';
import { createMask } from '../../src/app/mask.ts';
import { ingotVersion } from '../../src/app/package-root.ts';
import { type EvidenceReport, packagesBeside } from '../../src/app/report.ts';
import { evidencePage } from '../../src/reporters/html/page.ts';
import { junitOfEvidence } from '../../src/reporters/junit.ts';
import { HOSTILE, sampleRecord } from '../app/sample-record.ts';

let dir: string;
let released: EvidenceReport;
let refused: EvidenceReport;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-page-'));
  const report = async (vulnerable: boolean): Promise<EvidenceReport> => {
    const bundle = bundleOf(sampleRecord(dir, { vulnerable }), createMask());
    return { bundle, ...(await packagesBeside(bundle, (file) => join(dir, file))) };
  };
  released = await report(false);
  refused = await report(true);
});
afterAll(() => rmSync(dir, { recursive: true }));

const golden = (text: string): string => text.replaceAll(`ingot ${ingotVersion()}`, 'ingot VERSION');

describe('the page', () => {
  test('is what it was before', async () => {
    const few = { ...released, packages: released.packages?.slice(0, 3) ?? [] };
    await expect(golden(evidencePage([few]))).toMatchFileSnapshot('golden/evidence.html');
    const { bundle } = refused;
    await expect(golden(evidencePage([{ bundle }]))).toMatchFileSnapshot('golden/evidence-refused.html');
  });

  test('says everything as text, whatever it is named', () => {
    const page = evidencePage([released, refused]);
    expect(released.packages?.map((p) => p.name)).toEqual(expect.arrayContaining(HOSTILE));
    // Ours alone.
    expect(page.match(/<script/g)).toHaveLength(1);
    const alien = /<img|<svg onload|<b>bold|\u202e|<[^>]*\s(src|on\w+)=|href="(?!#)|@import|url\(/;
    expect(alien.exec(page)?.[0]).toBeUndefined();
  });

  test('has one image after another, whose parts have names of their own', () => {
    const ids = [...evidencePage([released, refused]).matchAll(/ id="([^"]+)"/g)].map((m) => m[1]);
    expect(ids.length).toBeGreaterThan(10);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('every link leads to a part of it', () => {
    const page = evidencePage([released]);
    const targets = [...page.matchAll(/href="#([^"]+)"/g)].map((m) => m[1] as string);
    expect(targets.filter((id) => !page.includes(` id="${id}"`))).toEqual([]);
  });

  test('is small', () => expect(evidencePage([released]).length).toBeLessThan(100_000));

  test('says at its head that two builds differ, and is red', () => {
    const formats = ['qcow2'];
    const files = [{ path: '/srv/id', step: 'web/shell[1]', what: 'content' }];
    const head = (reproducible: boolean, bundle = released.bundle): string =>
      evidencePage([{ bundle: { ...bundle, reproducibility: { reproducible, formats, files } } }]).split(
        '</header>',
      )[0] as string;
    expect(head(false)).toContain('<div class="verdict bad">\n<strong>Released, not reproducible</strong>');
    expect(head(false)).toContain('Two builds of the same inputs gave different bytes.');
    expect(head(false)).toContain('qcow2 differ');
    expect(head(true)).toContain('<div class="verdict good">\n<strong>Released</strong>');
    expect(head(false, refused.bundle)).toContain('<strong>Refused, not reproducible</strong>');
  });

  test('tells the checks that were not made from those that passed', () => {
    const skipped = [{ name: 'Port: tcp:80: listening', reason: 'only a booted image tells' }];
    const tests = released.bundle.tests.map((t) => (t.type === 'goss' ? { ...t, skipped } : t));
    const page = evidencePage([{ bundle: { ...released.bundle, tests } }]);
    expect(page).toContain('<summary>1 check not made</summary>');
    expect(page).toContain('Port: tcp:80: listening<p>only a booted image tells</p>');
    expect(page).toMatch(/<b>Goss<\/b><span>\d+ checks, 1 not made</);
  });

  test('of nothing says so', () => expect(evidencePage([])).toContain('Nothing was built'));
});

describe('JUnit', () => {
  test('is what it was before', async () => {
    await expect(junitOfEvidence([refused.bundle])).toMatchFileSnapshot('golden/evidence-junit.txt');
  });

  test('has a case for what was left out, and for two builds that differ', () => {
    const skipped = [{ name: 'Port: tcp:80: listening', reason: 'only a booted image tells' }];
    const tests = released.bundle.tests.map((t) => (t.type === 'goss' ? { ...t, skipped } : t));
    const files = [{ path: '/srv/id', step: 'web/shell[1]', what: 'content' }];
    const reproducibility = { reproducible: false, formats: ['qcow2'], files };
    const text = junitOfEvidence([{ ...released.bundle, tests, reproducibility }]);
    expect(text).toContain('failures="1" errors="0" skipped="1"');
    expect(text).toContain('<skipped message="only a booted image tells"/>');
    expect(text).toContain('<failure message="qcow2 differ; first /srv/id, by web/shell[1]"/>');
  });

  test('has a case for each check and for the seal', () => {
    const checks = released.bundle.tests.flatMap((t) => t.checks).length;
    expect(junitOfEvidence([released.bundle])).toContain(`tests="${checks + 1}" failures="0"`);
  });
});
