import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { loadPlan } from '../../src/app/load.ts';
import { catalog } from '../../src/app/catalog.ts';
import { openSession } from '../../src/app/session.ts';
import { runCli } from '../cli/run-cli.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-outputs-'));
  vi.stubEnv('INGOT_CACHE_DIR', join(dir, 'cache'));
  vi.spyOn(process, 'cwd').mockReturnValue(dir);
  for (const name of ['base.raw', 'other.raw']) writeFileSync(join(dir, name), Buffer.alloc(4096));
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(dir, { recursive: true });
});

/** Sources named one, two, … with these keys. */
function write(...sources: string[]): void {
  const names = ['one', 'two'];
  const blocks = sources.map(
    (keys, i) =>
      `source "qemu" "${names[i]}" {\n  ${keys.includes('iso_url') ? '' : 'iso_url = "base.raw"'}\n  iso_checksum = "none"\n  disk_image = true\n  ssh_username = "root"\n  ${keys}\n}\n`,
  );
  const uses = sources.map((_, i) => `"source.qemu.${names[i]}"`).join(', ');
  writeFileSync(join(dir, 'web.pkr.hcl'), `${blocks.join('')}build {\n  sources = [${uses}]\n}\n`);
}

describe('an output', () => {
  test.each([
    [
      'of two sources',
      ['output_directory = "out"\n vm_name = "web"', 'output_directory = "./out"\n vm_name = "web"'],
    ],
    [
      'in the place of what it starts from',
      ['output_directory = "."\n vm_name = "base.raw"\n format = "raw"'],
    ],
    [
      'in the place of what another one starts from',
      ['', 'iso_url = "other.raw"\n output_directory = "."\n vm_name = "base.raw"'],
    ],
  ])('%s is refused', async (_what, sources) => {
    write(...sources);
    const { code, stderr, stdout } = await runCli(['plan', dir]);
    expect(code).toBe(1);
    expect(stderr + stdout).toContain('plan/output-clash');
  });

  test.each([
    ['output_directory = "out"', 'out'],
    ['output_directory = "../beside"', '../beside'],
    ['output_directory = "/srv/images"', '/srv/images'],
    ['', 'output-one'],
  ])('lies where %j says, as all paths of a template: from the current folder', async (keys, folder) => {
    write(keys);
    const here = join(dir, 'here');
    mkdirSync(here);
    writeFileSync(join(here, 'base.raw'), Buffer.alloc(4096));
    vi.spyOn(process, 'cwd').mockReturnValue(here);
    const session = openSession({ emit: () => {}, signal: new AbortController().signal });
    const { plan } = await loadPlan({ path: dir, mode: 'use' }, catalog, session);
    expect(plan?.images.map((image) => image.outputDir)).toEqual([resolve(here, folder)]);
  });

  test('lies beside the template where an image file says what is written', async () => {
    write('');
    writeFileSync(join(dir, 'web.ingot.hcl'), 'image "one" {\n  version = "1"\n  output "qcow2" {}\n}\n');
    vi.spyOn(process, 'cwd').mockReturnValue('/');
    const session = openSession({ emit: () => {}, signal: new AbortController().signal });
    const { plan } = await loadPlan({ path: dir, mode: 'use' }, catalog, session);
    expect(plan?.images.map((image) => image.outputDir)).toEqual([join(dir, 'output-one')]);
  });

  test('with a name of its own is written beside', async () => {
    write('output_directory = "out"\n vm_name = "a"', 'output_directory = "out"\n vm_name = "b"');
    expect((await runCli(['plan', dir])).code).toBe(0);
  });
});
