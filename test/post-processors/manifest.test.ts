import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Artifact } from '../../src/core/artifact.ts';
import { manifestPostProcessor } from '../../src/post-processors/manifest.ts';
import { fakeContext } from '../provisioners/fake-machine.ts';
import { optionsOf } from '../provisioners/options.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-manifest-'));
  writeFileSync(join(dir, 'web.qcow2'), '12345');
});
afterEach(() => rmSync(dir, { recursive: true }));

const artifact = (id: string): Artifact => ({
  builderId: 'ingot.mmdebstrap',
  id,
  files: [join(dir, 'web.qcow2')],
  description: 'web',
});
const run = async (id: string, hcl = 'output = "m.json"\nstrip_path = true\nstrip_time = true') =>
  await manifestPostProcessor.process(
    artifact(id),
    await optionsOf(manifestPostProcessor, hcl),
    fakeContext(dir).ctx,
  );
const manifest = () =>
  JSON.parse(readFileSync(join(dir, 'm.json'), 'utf8')) as { builds: { artifact_id: string }[] };

test('an entry a build; the same version twice is one entry', async () => {
  await run('web@1');
  await run('web@2', 'output = "m.json"\nstrip_path = true\nstrip_time = true\ncustom_data = { a = "b" }');
  await run('web@1');
  expect(manifest().builds.map((b) => b.artifact_id)).toEqual(['web@2', 'web@1']);
  expect(manifest()).toMatchObject({
    last_run_uuid: 'web@1',
    builds: [
      {
        name: 'web',
        builder_type: 'mmdebstrap',
        files: [{ name: 'web.qcow2', size: 5 }],
        custom_data: { a: 'b' },
      },
      {},
    ],
  });
});

test('a file that is no manifest is not overwritten', async () => {
  writeFileSync(join(dir, 'm.json'), 'mine');
  await expect(run('web@1')).rejects.toMatchObject({ code: 'post-processor/bad-manifest' });
  expect(readFileSync(join(dir, 'm.json'), 'utf8')).toBe('mine');
});
