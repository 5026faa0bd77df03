import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { run } from '../../src/cli/run.ts';
import { type PackerFolder, packerFolder } from '../app/packer-folder.ts';

let folder: PackerFolder;
beforeEach(() => {
  folder = packerFolder();
});
afterEach(() => folder[Symbol.dispose]());

const NULL = 'source "null" "a" {\n  communicator = "none"\n}\n';
const BUILD = `${NULL}build {\n  sources = ["null.a"]\n}\n`;

describe('validate', () => {
  const OTHERS = `source "amazon-ebs" "x" {\n  region = var.region\n}\nvariable "region" {\n  default = "eu"\n}\nbuild {\n  sources = ["amazon-ebs.x"]\n  provisioner "chef-solo" {}\n  post-processor "vagrant" {}\n}\n`;

  test('says in one warning what it could not check', async () => {
    folder.write('t.pkr.hcl', OTHERS);
    const { code, stderr } = await folder.run('validate', 't.pkr.hcl');
    expect(stderr.match(/warning/g)).toHaveLength(1);
    expect(stderr).toContain('source "amazon-ebs", provisioner "chef-solo", post-processor "vagrant"');
    expect(code).toBe(0);
  });

  test('finds what is wrong around and in them, and a build refuses them by name', async () => {
    folder.write('t.pkr.hcl', OTHERS.replace('var.region', 'var.regoin'));
    const wrong = await folder.run('validate', 't.pkr.hcl');
    expect(wrong.stderr).toMatch(/regoin[\s\S]*Did you mean "?region/);
    expect(wrong.code).toBe(1);
    folder.write('t.pkr.hcl', OTHERS);
    const { code, stderr } = await folder.run('build', 't.pkr.hcl');
    expect(stderr).toContain('plan/unsupported-component');
    for (const name of ['amazon-ebs', 'chef-solo', 'vagrant']) expect(stderr).toContain(`"${name}"`);
    expect(code).toBe(1);
  });

  test('types of a required plugin are known, all others are mistakes', async () => {
    const plugin =
      'packer {\n  required_plugins {\n    cloud = { source = "github.com/me/cloud", version = "1.0.0" }\n  }\n}\n';
    const template = 'source "cloud-vm" "x" {}\nbuild {\n  sources = ["cloud-vm.x"]\n}\n';
    folder.write('t.pkr.hcl', plugin + template);
    expect((await folder.run('validate', 't.pkr.hcl')).code).toBe(0);
    folder.write('t.pkr.hcl', template);
    expect((await folder.run('validate', 't.pkr.hcl')).stderr).toContain('plan/unknown-source');
  });

  test('-syntax-only passes over what a build needs, not over syntax', async () => {
    folder.write('t.pkr.hcl', 'variable "x" {}\nbuild {\n  sources = ["null.none"]\n}\n');
    expect((await folder.run('validate', 't.pkr.hcl')).code).toBe(1);
    expect((await folder.run('validate', '-syntax-only', 't.pkr.hcl')).code).toBe(0);
    folder.write('t.pkr.hcl', 'build {\n');
    expect((await folder.run('validate', '-syntax-only', 't.pkr.hcl')).code).toBe(1);
  });

  test('-evaluate-datasources asks them', async () => {
    folder.write(
      't.pkr.hcl',
      `data "null" "x" {\n  input = "none"\n}\nsource "null" "a" {\n  communicator = data.null.x.output\n}\nbuild {\n  sources = ["null.a"]\n}\n`,
    );
    expect((await folder.run('validate', 't.pkr.hcl')).code).toBe(0);
    folder.write('t.pkr.hcl', readFileSync('t.pkr.hcl', 'utf8').replace('"none"', '"telnet"'));
    expect((await folder.run('validate', 't.pkr.hcl')).code).toBe(0);
    expect((await folder.run('validate', '-evaluate-datasources', 't.pkr.hcl')).stderr).toContain('telnet');
  });

  test('-no-warn-undeclared-var is silent; build warns only when asked', async () => {
    folder.write('t.pkr.hcl', BUILD);
    folder.write('v.pkrvars.hcl', 'other = 1\n');
    const of = async (...args: string[]) => await folder.run(...args, '-var-file=v.pkrvars.hcl', 't.pkr.hcl');
    expect((await of('validate')).stderr).toContain('undeclared-variable');
    expect((await of('validate', '-no-warn-undeclared-var')).stderr).toBe('');
    expect((await of('build')).stdout).not.toContain('undeclared-variable');
    expect((await of('build', '-warn-on-undeclared-var')).stdout).toContain('undeclared-variable');
  });

  test('legacy JSON comes by standard input, too', async () => {
    expect(
      (await folder.pipe('{"builders": [{"type": "null", "communicator": "none"}]}', 'validate', '-')).code,
    ).toBe(0);
    const bad = await folder.pipe('{"builders": [{"type": "nul"}]}', 'validate', '-');
    expect(bad.stderr).toMatch(/Did you mean "null"/);
    expect(bad.code).toBe(1);
  });
});

describe('hcp_packer_registry', () => {
  const template = (body: string): string =>
    `${NULL}build {\n  hcp_packer_registry {\n${body}\n  }\n  sources = ["null.a"]\n}\n`;

  test('is checked, and mapped with a note', async () => {
    folder.write(
      't.pkr.hcl',
      template('    bucket_name = "web-server"\n    bucket_labels = { os = "debian" }'),
    );
    const good = await folder.run('validate', 't.pkr.hcl');
    expect(good.stderr).toContain('nothing is pushed to the HCP Packer registry');
    expect(good.code).toBe(0);
    folder.write('t.pkr.hcl', template('    bucket = "b"'));
    expect((await folder.run('validate', 't.pkr.hcl')).stderr).toContain('bucket_name');
  });
});

describe('console', () => {
  const ask = (line: string, ...args: string[]) => folder.pipe(line, 'console', ...args);

  test('answers with the last value, and tells of every mistake', async () => {
    expect(await ask('1\n2 + 2\n', '--config-type=hcl2')).toEqual({ code: 0, stdout: '4\n', stderr: '' });
    const bad = await ask('nope\n1\n', '--config-type=hcl2');
    expect(bad.stderr).toContain('<console-input>:1:1');
    expect(bad).toMatchObject({ code: 1, stdout: '1\n' });
  });

  test('help, variables and exit are words of its own', async () => {
    folder.write(
      't.pkr.hcl',
      'variable "s" {\n  default = "hidden"\n  sensitive = true\n}\nlocals {\n  l = [1]\n}\n',
    );
    expect((await ask('help', 't.pkr.hcl')).stdout).toContain('upper(var.foo)');
    expect((await ask('variables', 't.pkr.hcl')).stdout).toBe(
      '> input-variables:\n\nvar.s: "<sensitive>"\n\n> local-variables:\n\nlocal.l: "[\\n  1,\\n]"\n\n',
    );
    expect((await ask('exit\nnope', 't.pkr.hcl')).code).toBe(0);
    expect((await ask('"a-${var.s}"', 't.pkr.hcl')).stdout).toBe('<sensitive>\n');
  });

  test('legacy templates answer Go templates', async () => {
    folder.write('t.json', '{"variables": {"a": "x", "b": "{{env `B`}}"}}');
    expect((await ask('{{user `a` | upper}}-{{user `a`}}', 't.json')).stdout).toBe('X-x\n');
    expect((await ask('{{user `a`}}', '-var', 'a=y', 't.json')).stdout).toBe('y\n');
    expect((await ask('variables', 't.json')).stdout).toBe('\na: x,\nb: ,\n\n');
    expect((await ask('{{nope}}', 't.json')).stderr).toContain('nope');
  });
});

describe('init', () => {
  test('of a template says what of its plugins is here', async () => {
    const plugins =
      'packer {\n  required_plugins {\n    amazon = { source = "github.com/hashicorp/amazon", version = ">= 1.0.0" }\n    mine = { source = "github.com/me/mine" }\n  }\n}\n';
    folder.write('t.pkr.hcl', plugins);
    const { code, stdout } = await folder.run('init', 't.pkr.hcl');
    expect(stdout).toContain(
      'amazon github.com/hashicorp/amazon (>= 1.0.0)\n  not here: source.amazon-chroot',
    );
    expect(stdout).toContain('no plugin that Ingot knows');
    expect(code).toBe(1);
    expect((await folder.run('plugins', 'required', 't.pkr.hcl')).stdout).toBe(stdout);
    expect((await folder.run('plugins', 'installed')).stdout).toContain('data: http, null');
    folder.write('t.pkr.hcl', BUILD);
    expect(await folder.run('init', '.')).toMatchObject({
      code: 0,
      stdout: 'The template requires no plugins.\n',
    });
  });

  test('of a new folder writes the example, as before', async () => {
    expect((await folder.run('init', 'web')).code).toBe(0);
    expect(existsSync(join(folder.dir, 'web/web.pkr.hcl'))).toBe(true);
  });
});

describe('fix', () => {
  test('takes what an editor of Windows saved, and says that HCL2 is none of its business', async () => {
    const template = '{"builders": [{"type": "null", "communicator": "none"}]}';
    expect((await folder.pipe(`\uFEFF${template}`, 'fix', '-')).code).toBe(0);
    folder.write('new.pkr.hcl', '# HCL2\n');
    expect((await folder.run('fix', 'new.pkr.hcl')).stderr).toContain('is no legacy template');
    expect((await folder.run('fix', 'none.json')).stderr).toContain(
      'Give the path of a legacy JSON template',
    );
  });

  test('old words become new ones, keys sorted; a broken template is refused', async () => {
    folder.write('t.json', '{"builders": [{"type": "virtualbox", "iso_md5": "a", "ssh_key_path": "k"}]}');
    const { stdout, code } = await folder.run('fix', 't.json');
    expect(JSON.parse(stdout)).toEqual({
      builders: [{ iso_checksum: 'md5:a', ssh_private_key_file: 'k', type: 'virtualbox-iso' }],
    });
    expect(code).toBe(0);
    const bad = '{"builders": [{"type": "null"}], "wrong": 1}';
    expect((await folder.pipe(bad, 'fix', '-')).code).toBe(1);
    expect((await folder.pipe(bad, 'fix', '-validate=false', '-')).code).toBe(0);
  });
});

describe('hcl2_upgrade', () => {
  test('writes a file, and the text into a pipe', async () => {
    folder.write('t.json', '{"builders": [{"type": "null", "communicator": "none"}]}');
    const { stdout, stderr } = await folder.run('hcl2_upgrade', 't.json');
    expect(readFileSync('t.json.pkr.hcl', 'utf8')).toBe(stdout);
    expect(stderr).toContain('t.json.pkr.hcl');
    expect((await folder.run('validate', 't.json.pkr.hcl')).code).toBe(0);
    expect((await folder.run('hcl2_upgrade', '-output-file=n/x.pkr.hcl', 't.json')).stdout).toBe('');
    expect(readFileSync('n/x.pkr.hcl', 'utf8')).toBe(stdout);
  });

  test.each(['{', '[]', '{"builders": 1'])('%j is no template', async (text) => {
    const { code, stderr } = await folder.pipe(text, 'hcl2_upgrade', '-');
    expect(stderr).not.toContain('internal/unexpected');
    expect(code).toBe(1);
  });
});

describe('called as packer', () => {
  const packer = async (...args: string[]) => {
    let stdout = '';
    const io = { write: (text: string) => void (stdout += text) };
    const code = await run(
      args,
      { stdout: io, stderr: { write: () => {} }, stdin: process.stdin, env: {} },
      'packer',
    );
    return { code, stdout };
  };

  test('says that it is one', async () => {
    expect(await packer('version')).toEqual({ code: 0, stdout: 'Packer v1.9.5\n' });
    expect((await packer('--version')).stdout).toBe('1.9.5\n');
    expect((await packer('-machine-readable', 'version')).stdout).toMatch(
      /^\d+,,version,1\.9\.5\n\d+,,version-prelease,\n\d+,,version-commit,\n\d+,,ui,say,Packer v1\.9\.5\n$/,
    );
  });

  test.each([
    [['nope'], 127],
    [[], 127],
    [['build'], 1],
    [['build', '-nope', 'x'], 1],
    [['validate', 'a', 'b'], 1],
    [['validate', '/none.pkr.hcl'], 1],
    [['build', '-h'], 0],
  ])('%j ends with %d', async (args, code) => {
    expect((await packer(...args)).code).toBe(code);
  });
});
