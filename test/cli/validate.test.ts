import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { packageRoot } from '../../src/app/package-root.ts';
import { runCli } from './run-cli.ts';

let folder: string;
let web: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-validate-'));
  web = join(folder, 'web');
  cpSync(join(packageRoot(), 'examples/web'), web, { recursive: true });
  vi.stubEnv('INGOT_CACHE_DIR', join(folder, 'cache'));
  vi.stubEnv('INGOT_DATA_DIR', join(folder, 'data'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Changes one file of the example. */
function edit(file: string, from: string | RegExp, to: string): void {
  const path = join(web, file);
  const text = readFileSync(path, 'utf8');
  const changed = text.replace(from, to);
  expect(changed).not.toBe(text);
  writeFileSync(path, changed);
}

test('the example is valid, as folder and as file, and nothing is written beside it', async () => {
  const before = readdirSync(web);
  expect(await runCli(['validate', web])).toEqual({
    code: 0,
    stdout: 'The configuration is valid.\n',
    stderr: '',
  });
  expect((await runCli(['validate', join(web, 'web.pkr.hcl')])).code).toBe(0);
  expect(JSON.parse((await runCli(['validate', '--json', web])).stdout)).toEqual({
    valid: true,
    diagnostics: [],
  });
  expect(readdirSync(web)).toEqual(before);
});

test('nothing of our own has to be written for it', async () => {
  // No folder can be made there, whoever asks.
  vi.stubEnv('INGOT_CACHE_DIR', '/sys/kernel/ingot');
  expect(await runCli(['validate', web])).toMatchObject({ code: 0, stderr: '' });
});

test('a place is told from where the user is', async () => {
  edit('web.pkr.hcl', 'locals', 'locales');
  const { stderr } = await runCli(['validate', web]);
  expect(stderr).toMatch(new RegExp(`--> ${web}/web\\.pkr\\.hcl:\\d+:\\d+\\n`));
});

describe('bad input is told of with file, line and remedy', () => {
  test.each([
    ['a syntax error', 'web.pkr.hcl', 'locals {', 'locals', 1, /web\.pkr\.hcl:\d+:\d+/],
    [
      'an unknown key',
      'web.pkr.hcl',
      'packages = local',
      'pakages = local',
      1,
      /pakages[\s\S]*Did you mean "?packages/,
    ],
    [
      'an unknown block',
      'web.pkr.hcl',
      'provisioner "file"',
      'provisoner "file"',
      1,
      /Did you mean "?provisioner/,
    ],
    [
      'an unknown type',
      'web.pkr.hcl',
      'provisioner "file"',
      'provisioner "fiel"',
      1,
      /Did you mean[^\n]*file/,
    ],
    ['a wrong type', 'web.pkr.hcl', 'suite    = var.suite', 'suite    = ["x"]', 1, /string/],
    ['an unset variable', 'web.pkr.hcl', /default {5}= "bookworm"\n/, '', 1, /suite/],
    ['a cycle', 'web.pkr.hcl', 'web_root = "/srv/www"', 'web_root = local.web_root', 1, /cycle|itself/],
    ['a missing file', 'web.pkr.hcl', 'script = "harden.sh"', 'script = "hardn.sh"', 1, /hardn\.sh/],
    ['an unknown output', 'web.ingot.hcl', 'output "qcow2"', 'output "qcow3"', 2, /Did you mean[^\n]*qcow2/],
    ['an unknown key of the image', 'web.ingot.hcl', 'version = git', 'versoin = git', 2, /version/],
    [
      'a key that is like none',
      'web.ingot.hcl',
      'version = git',
      'zzz = git',
      2,
      /Known here: build, disk, engine, first_boot, output, output_directory, policy, release, residue, seal/,
    ],
    ['an unknown block of the image', 'web.ingot.hcl', 'policy {', 'polcy {', 2, /Did you mean "policy"/],
    ['a block written as an argument', 'web.ingot.hcl', 'version = git', 'seal = git', 2, /seal is a block/],
    ['an unknown proof', 'web.ingot.hcl', '"goss", "secrets"', '"gos", "secrets"', 2, /Did you mean "goss"/],
    ['a proof that nothing makes', 'web.ingot.hcl', 'test "secrets" {}', '', 2, /has no test "secrets"/],
    [
      'an unknown set of checks',
      'web.ingot.hcl',
      'debian-level1',
      'debian-levl1',
      2,
      /Did you mean "debian-level1"/,
    ],
    ['a nonsense age', 'web.ingot.hcl', '"2160h"', '"-1h"', 2, /max_base_age/],
    ['an age of no time', 'web.ingot.hcl', '"2160h"', '"1s"', 2, /max_base_age must be from 1h/],
    [
      'a seal operation left out',
      'web.ingot.hcl',
      'policy {',
      'seal { skip = ["logs"] }\n policy {',
      2,
      /requires the seal operation logs/,
    ],
    ['no package rule', 'web.ingot.hcl', '"rsh-*"', '"rsh (< 1)"', 2, /names no package/],
    [
      'no privileged file',
      'web.ingot.hcl',
      '["debian"]',
      '["debain"]',
      2,
      /Did you mean|is no absolute path/,
    ],
    [
      'an exception of nothing',
      'web.ingot.hcl',
      'hardening        =',
      'except {\n id = "ssh-root-logn"\n reason = "x"\n expires = "2027-01-01"\n }\n hardening =',
      2,
      /Did you mean "ssh-root-login"/,
    ],
    [
      'an exception that never ends',
      'web.ingot.hcl',
      'hardening        =',
      'except {\n id = "base-age"\n reason = "x"\n expires = "never"\n }\n hardening =',
      2,
      /expected a day such as/,
    ],
    [
      'a hardening file that is not there',
      'web.ingot.hcl',
      '"debian-level1"',
      '"own.yaml"',
      2,
      /can't read the goss file|own\.yaml/,
    ],
    [
      'an unknown block by dynamic',
      'web.ingot.hcl',
      'dynamic "test" {\n    for_each = var.vulnerability_data == "" ? [] : [var.vulnerability_data]',
      'dynamic "tset" {\n    for_each = [1]',
      2,
      /no block "tset"/,
    ],
    ['a wrong choice', 'web.ingot.hcl', '["bios", "uefi"]', '["bios", "efi"]', 2, /efi/],
  ])('%s', async (_what, file, from, to, code, message) => {
    edit(file, from, to);
    const result = await runCli(['validate', web]);
    expect(result.stderr).toMatch(message);
    expect(result.stderr).toContain(`${file}:`);
    expect({ code: result.code, stdout: result.stdout }).toEqual({ code, stdout: '' });
  });

  test('every finding at once', async () => {
    edit('web.pkr.hcl', 'packages = local', 'pakages = local');
    edit('web.pkr.hcl', 'provisioner "file"', 'provisioner "fiel"');
    edit('web.ingot.hcl', 'output "qcow2"', 'output "qcow3"');
    const { stdout } = await runCli(['validate', '--json', web]);
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: { message: string }[] };
    expect(diagnostics.length).toBeGreaterThanOrEqual(3);
  });

  test('no such template', async () => {
    const { code, stderr } = await runCli(['validate', join(folder, 'none')]);
    expect(code).toBe(1);
    expect(stderr).toContain('none');
    expect(stderr).not.toContain('internal/unexpected');
  });
});

test('variables come from flags, files and the environment', async () => {
  const good = await runCli(['validate', '-var', 'admin=siteowner', web]);
  expect(good.code).toBe(0);
  const bad = await runCli(['validate', '-var', 'admin=SiteOwner', web]);
  expect(bad.stderr).toContain('lower case');
  expect(bad.code).toBe(1);
  writeFileSync(join(folder, 'x.pkrvars.hcl'), 'admin = "SiteOwner"\n');
  expect((await runCli(['validate', `-var-file=${join(folder, 'x.pkrvars.hcl')}`, web])).code).toBe(1);
  vi.stubEnv('PKR_VAR_admin', 'SiteOwner');
  expect((await runCli(['validate', web])).code).toBe(1);
});
