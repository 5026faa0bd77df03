import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type PackerFolder, packerFolder } from '../app/packer-folder.ts';

/** Debian's packer as a live oracle; it knows the language of 1.6.6. */
const env = { ...process.env, CHECKPOINT_DISABLE: '1' };
const version = spawnSync('packer', ['version'], { encoding: 'utf8', env });
const installed = version.status === 0 && version.stdout.startsWith('Packer v1.6');

let folder: PackerFolder;
beforeEach(() => {
  folder = packerFolder();
  folder.write('t.pkr.hcl', HCL2);
  folder.write('t.json', LEGACY);
  folder.write('empty.json', '{"builders": [], "variables": {}}');
  folder.write('broken.json', '{');
  folder.write('broken.pkr.hcl', 'build {');
});
afterEach(() => folder[Symbol.dispose]());

const HCL2 = `variable "plain" {
  default = "p"
}
variable "secret" {
  default   = "s3cr3t"
  sensitive = true
}
variable "list" {
  type    = list(string)
  default = ["a", "b\\n"]
}
variable "unset" {
  type = string
}
locals {
  m = { a = [1, 2.5], "b c" = var.plain, t = true }
}
source "null" "a" {
  communicator = "none"
}
source "file" "b" {
  target = "x"
}
build {
  name        = "first"
  description = "of two"
  sources     = ["null.a", "source.file.b"]
  provisioner "shell-local" {
    name   = "named"
    inline = ["true"]
  }
  provisioner "shell" {
    inline = ["true"]
  }
  post-processor "manifest" {}
  post-processors {
    post-processor "compress" {}
    post-processor "checksum" {}
  }
}
build {
  sources = ["null.a"]
}
`;

const LEGACY = `{
  "description": "a template",
  "variables": { "a": "1", "required": null, "longer-name": "{{env \`HOME\`}}", "s": "secret" },
  "sensitive-variables": ["s"],
  "builders": [
    { "type": "virtualbox", "iso_md5": "abc", "ssh_wait_timeout": "1m", "guest_additions_attach": true },
    { "type": "amazon-ebs", "name": "cloud", "enhanced_networking": true, "ssh_private_ip": true, "ami_name": "{{clean_ami_name \`x\`}}" },
    { "type": "qemu", "disk_size": 40960, "ssh_host_port_min": 1, "iso_checksum": "f", "iso_checksum_type": "sha1" },
    { "type": "vsphere-iso", "disk_size": 1, "network": "n" }
  ],
  "provisioners": [{ "type": "shell", "inline": ["true"], "override": { "virtualbox": {} } }],
  "post-processors": [{ "type": "vagrant", "aws": { "output": "x" } }, { "type": "manifest", "filename": "m" }]
}
`;

// Node's own pipes are sockets, which Packer's console takes for a terminal.
const packer = (stdin: string, ...args: string[]) =>
  spawnSync('bash', ['-c', 'cat | packer "$@"', 'bash', ...args], {
    encoding: 'utf8',
    env,
    input: stdin,
    cwd: folder.dir,
    timeout: 15_000,
  });

describe.skipIf(!installed)('as Packer 1.6.6 has it', () => {
  test.each([
    [['inspect', 't.pkr.hcl']],
    [['inspect', '-var', 'unset=x y', 't.pkr.hcl']],
    [['inspect', 't.json']],
    [['inspect', 'empty.json']],
  ])('%j prints the same', async (args) => {
    const { stdout, code } = await folder.run(...args);
    expect(stdout).toBe(packer('', ...args).stdout);
    expect(code).toBe(0);
  });

  test.each([['t.pkr.hcl'], ['t.json']])(
    'inspect -machine-readable %s prints the same but for the time, and the secret that Packer shows',
    async (file) => {
      const untimed = (text: string): string =>
        text.replace(/^\d+/gm, '').replaceAll('s3cr3t', '<sensitive>');
      const { stdout } = await folder.run('inspect', '-machine-readable', file);
      expect(untimed(stdout)).toBe(untimed(packer('', 'inspect', '-machine-readable', file).stdout));
    },
  );

  test.each([
    '1 + 5',
    'null',
    'true',
    '1/3',
    '1000000',
    '"a\\n\\"b\\""',
    '[1, "a", null, {b = [], c = {}}]',
    'local.m',
    'var.list',
    'var.secret',
    'var.unset',
    'upper(var.plain)',
    'variables',
    '1\n2',
    'exit',
    '',
    'nope',
    'var.nope',
    '1 +',
  ])('console answers %j alike', async (line) => {
    const theirs = packer(line, 'console', 't.pkr.hcl');
    const ours = await folder.pipe(line, 'console', 't.pkr.hcl');
    expect(ours.code).toBe(theirs.status);
    // Mistakes are told on standard error here, in our own words.
    if (theirs.status === 0) expect(ours.stdout).toBe(theirs.stdout);
  });

  test('fix makes the same template', async () => {
    const theirs = packer('', 'fix', '-validate=false', 't.json').stdout;
    expect((await folder.run('fix', '-validate=false', 't.json')).stdout).toBe(`${theirs.trimEnd()}\n`);
  });

  test.each([
    ['validate', 'broken.pkr.hcl'],
    ['validate', 'broken.json'],
    ['validate', '-syntax-only', 't.json'],
    ['validate', 't.pkr.hcl'],
    ['validate', 'none.pkr.hcl'],
    ['inspect', 'broken.json'],
    ['inspect', 'broken.pkr.hcl'],
    ['build', 'empty.json'],
    ['build', '-var', 'nope=1', 't.pkr.hcl'],
    ['console', 'broken.pkr.hcl'],
    ['fix', 'broken.json'],
    ['fmt', '-check', 't.pkr.hcl'],
    ['fmt', '-check', 'none'],
  ])('%s %s %s ends with the same code', async (...args) => {
    const theirs = packer('', ...args);
    const ours = await folder.pipe('', ...args);
    expect({ code: ours.code, said: ours.stdout + ours.stderr }).toMatchObject({ code: theirs.status });
  });
});

test.skipIf(installed)("is not asked: Debian's packer 1.6 is not installed", () => {});
