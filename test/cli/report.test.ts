import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { bundleOf } from '../../src/app/evidence.ts';
import { bundleDocument } from '../../src/app/keep-evidence.ts';
import { createMask } from '../../src/app/mask.ts';
import { systemClock } from '../../src/core/clock.ts';
import { sha256 } from '../../src/core/digest.ts';
import type { EvidenceBundle } from '../../src/core/evidence.ts';
import { publishRelease } from '../../src/release/publish.ts';
import { openStore } from '../../src/release/release-store.ts';
import { sampleRecord } from '../app/sample-record.ts';
import { runCli } from './run-cli.ts';

let dir: string;
let outputs: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-report-'));
  outputs = join(dir, 'output-web');
  vi.stubEnv('INGOT_CACHE_DIR', join(dir, 'cache'));
  vi.stubEnv('INGOT_DATA_DIR', join(dir, 'data'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true });
});

const cli = (...args: string[]) => runCli(['report', ...args]);

/** Evidence beside its bill of materials, as a build leaves it. */
function built(vulnerable = false): EvidenceBundle {
  const bundle = bundleOf(sampleRecord(outputs, { vulnerable }), createMask());
  writeFileSync(join(outputs, 'web-1.2.0.evidence.json'), JSON.stringify(bundle));
  return bundle;
}

describe('of a build', () => {
  test.each([
    ['the folder of its outputs', () => outputs],
    ['the folder of the template', () => dir],
    ['the file', () => join(outputs, 'web-1.2.0.evidence.json')],
  ])('is found by %s', async (_what, path) => {
    const bundle = built();
    const { code, stdout } = await cli(path(), '--format', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(bundle);
  });

  test('is a page with the packages of the bill that lies beside it', async () => {
    built();
    const page = join(dir, 'web.html');
    expect(await cli(outputs, '-o', page)).toMatchObject({ code: 0, stdout: '' });
    expect(readFileSync(page, 'utf8')).toContain('<td>libcurl1</td>');
  });

  test('lists no package of a bill that is another one by now', async () => {
    built();
    writeFileSync(join(outputs, 'web-1.2.0.cdx.json'), '{"components":[]}');
    const { stdout } = await cli(outputs);
    expect(stdout).toContain('was not at hand');
    expect(stdout).toContain('306 packages');
  });

  test('is JUnit by the name of the file', async () => {
    built(true);
    const file = join(dir, 'web.xml');
    await cli(dir, '-o', file);
    expect(readFileSync(file, 'utf8')).toContain('<failure message="curl 7.88.1-10+deb12u8 is installed;');
  });

  test('several are one page, and a list in JSON', async () => {
    const bundle = built();
    mkdirSync(join(dir, 'output-db'));
    const other = { ...bundle, image: { ...bundle.image, name: 'db' } };
    writeFileSync(join(dir, 'output-db', 'db-1.2.0.evidence.json'), JSON.stringify(other));
    const { stdout } = await cli(dir, '--format', 'json');
    expect((JSON.parse(stdout) as EvidenceBundle[]).map((b) => b.image.name)).toEqual(['db', 'web']);
    expect((await cli(dir)).stdout).toMatch(/<h1>db [\s\S]*<h1>web /);
  });
});

describe('of a release', () => {
  async function release(evidence: boolean): Promise<void> {
    const record = sampleRecord(outputs);
    const { release: _release, ...bundle } = bundleOf(record, createMask(), true);
    writeFileSync(join(outputs, 'web-1.2.0.qcow2'), 'qcow2');
    const store = await openStore('oci-layout:data/releases', dir);
    await publishRelease(
      store,
      {
        name: 'web',
        version: '1.2.0',
        annotations: {},
        outputs: record.outputs.map((o) => ({
          ...o,
          digest: o.format === 'qcow2' ? sha256('qcow2') : o.digest,
          size: o.format === 'qcow2' ? 5 : o.size,
          mediaType: 'application/octet-stream',
        })),
        evidence: evidence ? [bundleDocument(bundle)] : [],
      },
      { signal: new AbortController().signal, clock: systemClock },
    );
  }

  test('is read from its store, with the release that it speaks of and its packages', async () => {
    await release(true);
    const { stdout } = await cli('web@1.2.0', '--format', 'json');
    const shown = JSON.parse((await runCli(['release', 'show', 'web', '--json'])).stdout) as {
      digest: string;
      evidence: { title: string; facts: string }[];
    };
    expect(JSON.parse(stdout)).toMatchObject({
      verdict: { status: 'released' },
      release: { digest: shown.digest },
    });
    expect(shown.evidence).toMatchObject([{ title: 'web-1.2.0.evidence.json' }]);
    expect((await cli('web@1.2.0')).stdout).toContain('<td>libcurl1</td>');
  });

  test('that has none is an error that says so', async () => {
    await release(false);
    const { code, stderr } = await cli('web@1.2.0');
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('[report/none]') });
  });
});

test.each([
  ['a folder without evidence', '.', '[report/none]'],
  ['a file that is none', 'x.json', '[report/bad-evidence]'],
  ['nothing by this name', 'nosuch@1', '[release/unknown]'],
])('%s is refused', async (_what, path, code) => {
  writeFileSync(join(dir, 'x.json'), '{"mediaType":"text/plain"}');
  const result = await cli(path.includes('@') ? path : join(dir, path));
  expect(result).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(code) });
});
