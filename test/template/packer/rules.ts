import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Packer's rules, each as a template that keeps it or breaks it (its documentation, "HCL Templates" and "JSON Templates"). */
export interface Rule {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly valid: boolean;
  /** Why Debian's Packer 1.6.6 answers otherwise. */
  readonly since?: string;
}

const SOURCE = 'source "null" "a" {\n  communicator = "none"\n}\n';
const BUILD = 'build {\n  sources = ["null.a"]\n}\n';
const NULL = '{"type": "null", "communicator": "none"}';

/** A template with one build of one source, and this. */
const hcl = (name: string, valid: boolean, text: string, more: Partial<Rule> = {}): Rule => ({
  name,
  valid,
  files: { 'a.pkr.hcl': SOURCE + BUILD + text },
  ...more,
});
/** A variable "x" with this in it. */
const variable = (name: string, valid: boolean, body: string, more: Partial<Rule> = {}): Rule =>
  hcl(`variable: ${name}`, valid, `variable "x" {\n${body}\n}\n`, more);
/** A build with this in it. */
const inBuild = (name: string, valid: boolean, body: string, more: Partial<Rule> = {}): Rule => ({
  name: `build: ${name}`,
  valid,
  files: { 'a.pkr.hcl': `${SOURCE}build {\n  sources = ["null.a"]\n${body}\n}\n` },
  ...more,
});
const provisioner = (name: string, valid: boolean, body: string, more: Partial<Rule> = {}): Rule =>
  inBuild(
    `provisioner: ${name}`,
    valid,
    `  provisioner "shell-local" {\n    inline = ["true"]\n${body}\n  }`,
    more,
  );
const legacy = (name: string, valid: boolean, text: string, more: Partial<Rule> = {}): Rule => ({
  name: `legacy: ${name}`,
  valid,
  files: { 't.json': text },
  ...more,
});
const set = (value: string): Partial<Rule> => ({ args: ['-var', value] });

const rule = (condition: string, message: string): string =>
  `default = 1\nvalidation {\n  condition = ${condition}\n  error_message = "${message}"\n}`;

export const RULES: readonly Rule[] = [
  ...(
    [
      ['one argument on one line', true, 'locals { x = 1 }'],
      ['an empty block on one line', true, 'locals { }'],
      ['a list over lines in one line', true, 'locals { x = [\n1] }'],
      ['a comment behind the brace', true, 'locals { # c\nx = 1\n}'],
      ['the closing brace behind an argument', false, 'locals {\n  x = 1 }'],
      ['an argument behind the opening brace', false, 'locals { x = 1\n}'],
      ['two arguments on one line', false, 'locals { x = 1 y = 2 }'],
      ['an argument, then another line', false, 'locals { x = 1\ny = 2 }'],
      ['a block in a block on one line', false, 'build { source "null.a" { } }'],
      ['the closing brace behind a block', false, 'build {\n  source "null.a" { } }'],
      ['two closing braces', false, 'build {\nsource "null.a" {\n}}'],
      ['two blocks on one line', false, 'locals { } locals { }'],
    ] as const
  ).map(([name, valid, text]) => hcl(`lines: ${name}`, valid, `${text}\n`)),
  hcl('nothing more', true, ''),
  hcl('an unknown block', false, 'foo {\n}\n'),
  hcl('an argument at the top', false, 'foo = 1\n'),
  variable('null is a default', true, 'default = null'),
  variable('without a value', false, ''),
  variable('of a type, without a value', false, 'type = string'),
  variable('an unknown argument', false, 'default = 1\nfoo = 2'),
  variable('a quoted type', false, 'type = "string"\ndefault = "a"'),
  variable('a list of what', false, 'type = list\ndefault = ["a"]'),
  variable('a default of another type', false, 'type = number\ndefault = "a"'),
  variable('a default that converts', true, 'type = number\ndefault = "12"'),
  variable('a default that refers to a local', false, 'default = local.y'),
  variable('a default from the environment', true, 'default = env("HOME")'),
  variable('a default by another function', true, 'default = upper("a")', { since: 'an addition of ours' }),
  variable('a validation kept', true, rule('var.x > 0', 'Must be positive.')),
  variable('a validation broken', false, rule('var.x > 1', 'Must be larger.')),
  variable('a validation that says no sentence', false, rule('var.x > 0', 'must be positive')),
  variable('a validation without a full stop', false, rule('var.x > 0', 'Must be positive')),
  variable('a validation that looks elsewhere', false, rule('1 > 0', 'Must be positive.')),
  variable('a validation that is no condition', false, rule('var.x', 'Must be positive.')),
  hcl('variable: a name with a dash', true, 'variable "x-y" {\n  default = 1\n}\n'),
  hcl('variable: a name with a digit first', false, 'variable "1x" {\n  default = 1\n}\n'),
  {
    name: 'variable: twice, in two files',
    valid: false,
    files: {
      'a.pkr.hcl': `${SOURCE}${BUILD}variable "x" {\n  default = 1\n}\n`,
      'b.pkr.hcl': 'variable "x" {\n  default = 1\n}\n',
    },
  },
  variable('-var of a list', true, 'type = list(string)', set('x=["a"]')),
  variable('-var of a list, bare', false, 'type = list(string)', set('x=a')),
  variable('-var of a number', false, 'type = number', set('x=a')),
  variable('-var of a bool', true, 'type = bool', set('x=true')),
  variable('-var of a string is no expression', true, 'type = string', set('x=[${')),
  variable('-var empty', true, 'type = string', set('x=')),
  variable('-var breaks a validation', false, rule('var.x > 0', 'Must be positive.'), set('x=-1')),
  variable('the environment', false, 'type = number', { env: { PKR_VAR_x: 'a' } }),
  hcl('-var of nothing declared', false, '', set('x=1')),
  hcl('the environment of nothing declared', true, '', { env: { PKR_VAR_nope: '1' } }),
  {
    name: '-var-file of nothing declared',
    valid: true,
    files: { 'a.pkr.hcl': SOURCE + BUILD, 'v.hcl': 'x = 1\n' },
    args: ['-var-file', 'v.hcl'],
  },
  {
    name: '-var-file with a block',
    valid: false,
    files: { 'a.pkr.hcl': SOURCE + BUILD, 'v.hcl': 'x {\n}\n' },
    args: ['-var-file', 'v.hcl'],
  },
  {
    name: '-var-file with a function',
    valid: false,
    files: {
      'a.pkr.hcl': `${SOURCE}${BUILD}variable "x" {\n  default = 1\n}\n`,
      'v.hcl': 'x = upper("a")\n',
    },
    args: ['-var-file', 'v.hcl'],
  },
  {
    name: '-var-file with a reference',
    valid: false,
    files: { 'a.pkr.hcl': `${SOURCE}${BUILD}variable "x" {\n  default = 1\n}\n`, 'v.hcl': 'x = var.y\n' },
    args: ['-var-file', 'v.hcl'],
  },
  {
    name: '-var-file that is not there',
    valid: false,
    files: { 'a.pkr.hcl': SOURCE + BUILD },
    args: ['-var-file', 'nope.hcl'],
  },
  hcl('local: sensitive', true, 'local "x" {\n  expression = "a"\n  sensitive = true\n}\n', {
    since: 'local blocks came with 1.7',
  }),
  hcl('local: without an expression', false, 'local "x" {\n  sensitive = true\n}\n'),
  hcl('local: also in locals', false, 'locals { x = 1 }\nlocal "x" {\n  expression = 1\n}\n'),
  {
    name: 'local: twice, in two files',
    valid: false,
    since: 'seen since 1.7',
    files: { 'a.pkr.hcl': `${SOURCE}${BUILD}locals { x = 1 }\n`, 'b.pkr.hcl': 'locals { x = 1 }\n' },
  },
  hcl('local: needs itself', false, 'locals {\n  x = local.y\n  y = local.x\n}\n'),
  hcl('local: env', false, 'locals {\n  x = env("HOME")\n}\n'),
  hcl('local: nobody declared it', false, 'locals {\n  x = local.nope\n}\n'),
  hcl('heredocs', true, 'locals {\n  x = <<EOF\na ${1 + 1}\nEOF\n  y = <<-EOF\n   b\n  c\n  EOF\n}\n'),
  hcl('a heredoc without its end', false, 'locals {\n  x = <<EOF\na\n}\n'),
  hcl('packer: met', true, 'packer {\n  required_version = ">= 1.0, < 100"\n}\n'),
  hcl('packer: not met', false, 'packer {\n  required_version = ">= 100"\n}\n'),
  hcl(
    'packer: two, one not met',
    false,
    'packer {\n  required_version = ">= 1"\n}\npacker {\n  required_version = ">= 100"\n}\n',
  ),
  hcl('packer: no version', false, 'packer {\n  required_version = "soon"\n}\n'),
  hcl(
    'packer: by a variable',
    false,
    'variable "v" {\n  default = ">= 1"\n}\npacker {\n  required_version = var.v\n}\n',
  ),
  hcl('packer: a label', false, 'packer "x" {\n}\n'),
  hcl(
    'packer: one plugin under two names',
    true,
    'packer {\n  required_plugins {\n    a = { source = "github.com/b/c", version = "~> 1.0" }\n    d = { source = "github.com/b/c", version = "~> 1.0" }\n  }\n}\n',
    { since: 'plugins came with 1.7' },
  ),
  hcl(
    'packer: two plugins of one name',
    false,
    'packer {\n  required_plugins {\n    a = { source = "github.com/b/c", version = "~> 1.0" }\n  }\n  required_plugins {\n    a = { source = "github.com/b/d", version = "~> 1.0" }\n  }\n}\n',
  ),
  { name: 'source: twice', valid: false, files: { 'a.pkr.hcl': SOURCE + SOURCE + BUILD } },
  {
    name: 'source: an argument twice',
    valid: false,
    files: {
      'a.pkr.hcl': `source "null" "a" {\n  communicator = "none"\n  communicator = "none"\n}\n${BUILD}`,
    },
  },
  {
    name: 'build: source with its prefix',
    valid: true,
    files: { 'a.pkr.hcl': `${SOURCE}build {\n  sources = ["source.null.a"]\n}\n` },
  },
  {
    name: 'build: a source block of another name',
    valid: true,
    files: { 'a.pkr.hcl': `${SOURCE}build {\n  source "null.a" {\n    name = "b"\n  }\n}\n` },
  },
  {
    name: 'build: a source block that sets more',
    valid: true,
    files: {
      'a.pkr.hcl': 'source "null" "a" {}\nbuild {\n  source "null.a" {\n    communicator = "none"\n  }\n}\n',
    },
  },
  {
    name: 'build: a source that is not there',
    valid: false,
    files: { 'a.pkr.hcl': `${SOURCE}build {\n  sources = ["null.b"]\n}\n` },
  },
  {
    name: 'build: sources as a text',
    valid: false,
    files: { 'a.pkr.hcl': `${SOURCE}build {\n  sources = "null.a"\n}\n` },
  },
  {
    name: 'build: a dynamic source',
    valid: true,
    files: {
      'a.pkr.hcl': `${SOURCE}build {\n  dynamic "source" {\n    for_each = ["x", "y"]\n    labels   = ["null.a"]\n    content {\n      name = source.value\n    }\n  }\n}\n`,
    },
  },
  inBuild(
    'a dynamic provisioner',
    true,
    '  dynamic "provisioner" {\n    for_each = ["x"]\n    labels = ["shell-local"]\n    content {\n      inline = ["echo ${provisioner.value}"]\n    }\n  }',
  ),
  inBuild(
    'a dynamic block of what is not there',
    false,
    '  dynamic "foo" {\n    for_each = ["x"]\n    content {\n    }\n  }',
  ),
  inBuild('named by a variable', true, '  name = var.n\n}\nvariable "n" {\n  default = "q"', {
    since: 'variables in a build came with 1.7',
  }),
  inBuild(
    'one error-cleanup-provisioner',
    true,
    '  error-cleanup-provisioner "shell-local" {\n    inline = ["true"]\n  }',
    { since: 'read in HCL2 since 1.7' },
  ),
  inBuild(
    'two error-cleanup-provisioners',
    false,
    '  error-cleanup-provisioner "shell-local" {\n    inline = ["true"]\n  }\n  error-cleanup-provisioner "shell-local" {\n    inline = ["true"]\n  }',
  ),
  inBuild(
    'a chain',
    true,
    '  post-processors {\n    post-processor "manifest" {}\n    post-processor "manifest" {}\n  }',
  ),
  inBuild(
    'a post-processor with all options',
    true,
    '  post-processor "manifest" {\n    name = "x"\n    only = ["null.a"]\n    keep_input_artifact = true\n  }',
  ),
  inBuild(
    'a registry',
    true,
    '  hcp_packer_registry {\n    bucket_name = "web"\n    description = "Web"\n    bucket_labels = { a = "b" }\n  }',
    { since: 'came with 1.7.6' },
  ),
  inBuild('two registries', false, '  hcp_packer_registry {}\n  hcp_packer_registry {}'),
  inBuild(
    'a registry with a long description',
    false,
    `  hcp_packer_registry {\n    description = "${'x'.repeat(256)}"\n  }`,
  ),
  provisioner('only', true, '    only = ["null.a"]'),
  provisioner('only what is not there', true, '    only = ["null.b"]'),
  provisioner('only and except', false, '    only = ["null.a"]\n    except = ["null.b"]'),
  provisioner('an override', true, '    override = {\n      a = { inline = ["false"] }\n    }'),
  provisioner('retries as a text', true, '    max_retries = "5"'),
  provisioner('a pause without a unit', false, '    pause_before = 5'),
  hcl(
    'provisioner: a timeout by a variable',
    true,
    'variable "t" {\n  default = "5s"\n}\nbuild {\n  sources = ["null.a"]\n  provisioner "shell-local" {\n    inline  = ["true"]\n    timeout = var.t\n  }\n}\n',
  ),
  legacy('plain', true, `{"builders": [${NULL}]}`),
  legacy('no builders', false, '{}'),
  legacy(
    'nothing where nothing is meant',
    true,
    `{"description": null, "variables": null, "min_packer_version": "", "builders": [${NULL}]}`,
  ),
  legacy('a list of variables', false, `{"variables": [{"a": "x"}], "builders": [${NULL}]}`),
  legacy('a number as a sensitive variable', false, `{"sensitive-variables": [1], "builders": [${NULL}]}`),
  legacy(
    'a list as a name',
    false,
    '{"builders": [{"type": "null", "communicator": "none", "name": ["a"]}]}',
  ),
  legacy(
    'values bent to their types',
    true,
    `{"builders": [${NULL}, {"type": "file", "content": "{{user \`nope\`}}", "target": true}], "provisioners": [
      {"type": "shell-local", "inline": "x", "environment_vars": {}, "valid_exit_codes": ["0x10", true]},
      {"type": "shell", "inline": ["x"], "expect_disconnect": 1}
    ], "post-processors": [
      {"type": "manifest", "strip_path": "T", "custom_data": [{"a": "b"}, {"c": 1}]},
      {"type": "checksum", "checksum_types": "md5"}
    ]}`,
  ),
  legacy('an unknown key', false, `{"foo": 1, "builders": [${NULL}]}`),
  legacy('a comment', true, `{"_comment": "x", "builders": [${NULL}]}`),
  legacy('two builders of one name', false, `{"builders": [${NULL}, ${NULL}]}`),
  legacy('-var of nothing declared', true, `{"builders": [${NULL}]}`, set('x=1')),
  legacy(
    '-var of nothing declared, used',
    true,
    '{"builders": [{"type": "null", "communicator": "{{user `x`}}"}]}',
    set('x=none'),
  ),
  legacy('a number as a variable', false, `{"variables": {"x": 1}, "builders": [${NULL}]}`),
  legacy('null as a variable', false, `{"variables": {"x": null}, "builders": [${NULL}]}`),
  legacy('null as a variable, set', true, `{"variables": {"x": null}, "builders": [${NULL}]}`, set('x=1')),
  legacy('env in a variable', true, '{"variables": {"x": "{{env `HOME`}}"}, "builders": [' + NULL + ']}'),
  legacy(
    'env elsewhere',
    false,
    '{"builders": [{"type": "null", "communicator": "none", "ssh_host": "{{env `HOME`}}"}]}',
  ),
  legacy(
    'variables by variables',
    true,
    '{"variables": {"x": "{{user `y`}}", "y": "z"}, "builders": [' + NULL + ']}',
  ),
  legacy(
    'variables in a circle',
    false,
    '{"variables": {"x": "{{user `y`}}", "y": "{{user `x`}}"}, "builders": [' + NULL + ']}',
  ),
  legacy('a later version', false, `{"min_packer_version": "100.0.0", "builders": [${NULL}]}`),
  legacy(
    'post-processors in lists',
    true,
    `{"builders": [${NULL}], "post-processors": ["manifest", ["manifest", {"type": "manifest"}]]}`,
  ),
  legacy(
    'provisioners as an object',
    false,
    `{"builders": [${NULL}], "provisioners": {"type": "shell-local", "inline": ["true"]}}`,
  ),
  legacy(
    'only for what is not there',
    false,
    `{"builders": [${NULL}], "provisioners": [{"type": "shell-local", "inline": ["true"], "only": ["b"]}]}`,
  ),
  legacy(
    'an override for what is not there',
    false,
    `{"builders": [${NULL}], "provisioners": [{"type": "shell-local", "inline": ["true"], "override": {"b": {}}}]}`,
  ),
  legacy('a description that is no text', false, `{"description": 1, "builders": [${NULL}]}`),
  legacy(
    'a function that is not there',
    false,
    '{"builders": [{"type": "null", "communicator": "none", "ssh_host": "{{nope}}"}]}',
  ),
];

/** In a folder with the rule's files. */
export async function within<T>(files: Rule['files'], work: (dir: string) => Promise<T> | T): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'ingot-rules-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
    return await work(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}
