import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { attr, bodySpec } from '../../../src/core/body-spec.ts';
import {
  decodeBody,
  evaluate,
  type LoadOptions,
  loadTemplate,
  parseHclExpression,
  toJson,
} from '../../../src/template/index.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A folder with these files. */
function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'ingot-template-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

async function load(text: string, options: Omit<LoadOptions, 'path'> = {}) {
  return await loadTemplate({ path: folderOf({ 'main.pkr.hcl': text }), ...options });
}

/** `code line` of all findings. */
function found(loaded: Awaited<ReturnType<typeof load>>): string[] {
  return loaded.diagnostics.map((d) => `${d.code} ${d.range?.start.line ?? '-'}`);
}

const WEB = `
packer {
  required_version = ">= 1.7.0"
  required_plugins {
    qemu = { source = "github.com/hashicorp/qemu", version = "~> 1" }
  }
}

variable "suite" {
  type        = string
  default     = "bookworm"
  description = "Debian suite"
  validation {
    condition     = contains(["bookworm", "trixie"], var.suite)
    error_message = "The suite must be bookworm or trixie."
  }
}

variable "packages" {
  type    = list(string)
  default = ["nginx"]
}

variable "password" {
  sensitive = true
  default   = "hunter2"
}

locals {
  all   = concat(["openssh-server"], var.packages)
  title = "web on \${var.suite} (\${length(local.all)})"
}

local "token" {
  expression = "t-\${var.password}"
  sensitive  = true
}

source "mmdebstrap" "base" {
  suite    = var.suite
  packages = local.all
}

build {
  name        = "web"
  description = local.title
  sources     = ["source.mmdebstrap.base"]

  source "mmdebstrap.base" {
    name  = "second"
    suite = "trixie"
  }

  provisioner "shell" {
    inline           = ["echo \${build.ID} \${source.name}", "echo \${var.password}"]
    only             = ["mmdebstrap.base"]
    pause_before     = "5s"
    timeout          = "1h5m"
    max_retries      = 3
    override = {
      second = { inline = ["echo second"] }
    }
  }

  error-cleanup-provisioner "shell-local" {
    inline = ["true"]
  }

  post-processor "manifest" {
    name   = "list"
    except = ["mmdebstrap.second"]
  }

  post-processors {
    post-processor "checksum" { keep_input_artifact = true }
    post-processor "compress" {}
  }
}
`;

const shell = bodySpec({ inline: attr.strings('Commands.', { required: true }) });

describe('a whole template', () => {
  test('is read as it is written', async () => {
    const { template, diagnostics } = await load(WEB);
    expect(diagnostics).toEqual([]);
    const [build] = template.builds;
    expect(build).toMatchObject({ name: 'web', description: 'web on bookworm (2)' });
    expect(build?.sources.map((s) => `${s.type}.${s.name}`)).toEqual([
      'mmdebstrap.base',
      'mmdebstrap.second',
    ]);
    expect(build?.provisioners[0]?.meta).toEqual({
      only: ['mmdebstrap.base'],
      pauseBeforeMs: 5000,
      timeoutMs: 3_900_000,
      maxRetries: 3,
    });
    expect(build?.errorCleanup?.type).toBe('shell-local');
    expect(build?.postProcessors.map((chain) => chain.map((p) => p.type))).toEqual([
      ['manifest'],
      ['checksum', 'compress'],
    ]);
    expect(build?.postProcessors[1]?.[0]?.keepInputArtifact).toBe(true);
    expect(template.variables.map((v) => v.name)).toEqual(['suite', 'packages', 'password']);
    expect(template.requiredPlugins[0]?.source).toBe('github.com/hashicorp/qemu');
  });

  test('sources see their own values over the shared ones', async () => {
    const { template } = await load(WEB);
    const spec = bodySpec({
      suite: attr.string('Suite.', { required: true }),
      packages: attr.strings('Packages.'),
    });
    const decoded = template.builds[0]?.sources.map((use) => decodeBody(use.body, spec, use.scope));
    expect(decoded?.map((d) => d.diagnostics)).toEqual([[], []]);
    expect(decoded?.map((d) => d.options?.suite)).toEqual(['bookworm', 'trixie']);
    expect(decoded?.[0]?.options?.packages).toEqual(['openssh-server', 'nginx']);
  });

  test('build values are unknown, then known; secrets are kept apart', async () => {
    const hmacKey = Buffer.from('key');
    const { template } = await load(WEB, { hmacKey });
    const block = template.builds[0]?.provisioners[0];
    const use = template.builds[0]?.sources[0];
    if (!block || !use) throw new Error('the template has a provisioner and a source');
    const before = decodeBody(block.bodyFor('base'), shell, use.scope);
    expect(before).toMatchObject({ unknown: true, volatile: true, diagnostics: [] });
    expect(before.secrets).toContain('hunter2');
    expect(JSON.stringify(before.hashForm)).not.toContain('hunter2');
    expect(JSON.stringify(before.hashForm)).toContain('build.ID');
    const during = decodeBody(block.bodyFor('base'), shell, use.scope, { build: new Map([['ID', 'i-1']]) });
    expect(during.options?.inline).toEqual(['echo i-1 base', 'echo hunter2']);
    expect(decodeBody(block.bodyFor('second'), shell, use.scope).options?.inline).toEqual(['echo second']);
    const missing = decodeBody(block.bodyFor('base'), shell, use.scope, { build: new Map([['IDD', 'i-1']]) });
    expect(missing.diagnostics[0]).toMatchObject({
      code: 'template/unknown-variable',
      hint: 'Did you mean "IDD"?',
    });
  });

  test('its digest follows names and contents, nothing else', async () => {
    const a = await loadTemplate({ path: folderOf({ 'a.pkr.hcl': 'locals {}\n', 'b.pkr.hcl': '' }) });
    const b = await loadTemplate({
      path: folderOf({ 'b.pkr.hcl': '', 'a.pkr.hcl': 'locals {}\n', 'other.txt': 'x', 'sub/c.pkr.hcl': '=' }),
    });
    const c = await loadTemplate({ path: folderOf({ 'a.pkr.hcl': 'locals {}\n', 'c.pkr.hcl': '' }) });
    expect(a.template.digest).toBe(b.template.digest);
    expect(a.template.digest).not.toBe(c.template.digest);
  });
});

describe('variables', () => {
  const declare = 'variable "x" {\n  type = string\n  default = "default"\n}\n';
  const files = {
    'main.pkr.hcl': declare,
    'a.auto.pkrvars.hcl': 'x = "auto"\n',
    'b.auto.pkrvars.json': '{"x": "auto json"}',
    'one.hcl': 'x = "file one"\n',
    'two.json': '{"x": "file two"}',
  };
  const order = ['default', 'env', 'auto', 'auto json', 'file one', 'file two', 'var one', 'var two'];

  test.each(order.map((winner, i) => [winner, i] as const))(
    '%s wins over what comes before it',
    async (winner, i) => {
      const has = (name: string): boolean => order.indexOf(name) <= i;
      const present = Object.entries(files).filter(
        ([name]) =>
          !(name.startsWith('a.auto') && !has('auto')) && !(name.startsWith('b.auto') && !has('auto json')),
      );
      const path = folderOf(Object.fromEntries(present));
      const { template, diagnostics } = await loadTemplate({
        path,
        env: has('env') ? { PKR_VAR_x: 'env' } : {},
        varFiles: [
          ...(has('file one') ? [join(path, 'one.hcl')] : []),
          ...(has('file two') ? [join(path, 'two.json')] : []),
        ],
        vars: [...(has('var one') ? ['x=var one'] : []), ...(has('var two') ? ['x=var two'] : [])],
      });
      expect(diagnostics).toEqual([]);
      expect(toJson(template.values)).toMatchObject({ x: winner });
    },
  );

  test('a single file reads no automatic files beside it', async () => {
    const path = folderOf(files);
    const { template } = await loadTemplate({ path: join(path, 'main.pkr.hcl') });
    expect(toJson(template.values)).toMatchObject({ x: 'default' });
  });

  test.each([
    ['type = string', 'x=1', '1'],
    ['type = number', 'x=12', 12],
    ['', 'x=["a"]', '["a"]'],
    ['default = ["z"]', 'x=["a"]', ['a']],
    ['type = list(string)', 'x=["a", 1]', ['a', '1']],
    ['type = map(number)', 'x={a = "1"}', { a: 1 }],
    ['type = object({ a = string, b = optional(number, 7) })', 'x={a = "y"}', { a: 'y', b: 7 }],
    ['type = bool', 'x=true', true],
    ['type = any', 'x={a = [1]}', { a: [1] }],
    ['type = tuple([string, number])', 'x=["a", "1"]', ['a', 1]],
    ['default = env("FROM_ENV")', 'y=', 'env value'],
  ])('%s given %s', async (declaration, given, expected) => {
    const { template, diagnostics } = await load(
      `variable "x" {\n  ${declaration}\n}\nvariable "y" {\n  default = ""\n}\n`,
      {
        vars: [given],
        env: { FROM_ENV: 'env value' },
      },
    );
    expect(diagnostics).toEqual([]);
    expect(toJson(template.values)).toMatchObject({ x: expected });
  });
});

describe('what is wrong', () => {
  test.each<[string, string[], string?]>([
    ['variable "x" {}\n', ['template/unset-variable 1']],
    ['variable "x" {\n  type = number\n  default = "a"\n}\n', ['template/wrong-type 3']],
    [
      'variable "x" {\n  type = strng\n  default = 1\n}\n',
      ['template/invalid-type 2'],
      'Did you mean "string"?',
    ],
    [
      'variable "x" {\n  defualt = 1\n}\n',
      ['template/unset-variable 1', 'template/unknown-argument 2'],
      'Did you mean "default"?',
    ],
    ['variable "x" {\n  default = 1\n}\nvariable "x" {\n  default = 2\n}\n', ['template/duplicate 4']],
    ['variables {\n  x = 1\n}\nvariable "x" {\n  default = 2\n}\n', ['template/duplicate 4']],
    [
      'variable "a" {\n  default = 1\n  validation {\n    condition = var.a > 1\n    error_message = "Too small."\n  }\n}\n',
      ['template/invalid-variable 1'],
    ],
    ['locals {\n  a = local.b\n  b = local.c\n  c = local.a\n}\n', ['template/cycle 2']],
    ['locals {\n  a = [local.a]\n}\n', ['template/cycle 2']],
    ['locals {\n  a = 1\n}\nlocals {\n  a = 2\n}\n', ['template/duplicate 5']],
    [
      'locals {\n  a = var.nope\n}\nvariable "nop" {\n  default = 1\n}\n',
      ['template/unknown-variable 2'],
      'Did you mean "nop"?',
    ],
    ['source "null" "a" {}\nsource "null" "a" {}\n', ['template/duplicate 2']],
    ['source "null" {}\n', ['template/labels 1']],
    ['sorce "null" "a" {}\n', ['template/unknown-block 1'], 'Did you mean "source"?'],
    ['x = 1\n', ['template/unknown-argument 1']],
    [
      'source "null" "a" {}\nbuild {\n  sources = ["null.b"]\n}\n',
      ['template/unknown-source 3'],
      'Did you mean "null.a"?',
    ],
    ['build {\n  provisioner {\n  }\n}\n', ['template/labels 2']],
    ['build {\n  provisionr "shell" {}\n}\n', ['template/unknown-block 2'], 'Did you mean "provisioner"?'],
    ['build {\n  provisioner "shell" {\n    pause_before = "5"\n  }\n}\n', ['template/wrong-format 3']],
    ['build {\n  provisioner "shell" {\n    max_retries = -1\n  }\n}\n', ['template/wrong-value 3']],
    ['packer {\n  required_version = ">= 99"\n}\n', ['template/required-version 2']],
    ['packer {\n  required_version = "soon"\n}\n', ['template/invalid-version 2']],
    ['packer {\n  version = "1"\n}\n', ['template/unknown-argument 2']],
    ['packer {\n  required_plugins {\n    a = { source = "b" }\n  }\n}\n', ['template/plugin-source 3']],
    ['locals {\n  __proto__ = 1\n  a = local.constructor\n}\n', ['template/unknown-variable 3']],
    ['a = = 1\nb {\n', ['template/syntax 1', 'template/unknown-block 2', 'template/syntax 2']],
  ])('%j', async (text, codes, hint) => {
    const loaded = await load(text);
    expect(found(loaded)).toEqual(codes);
    if (hint !== undefined) expect(loaded.diagnostics.map((d) => d.hint)).toContain(hint);
  });

  test('values from the command line', async () => {
    const loaded = await load('variable "fruit" {\n  default = "a"\n}\n', { vars: ['fruti=b', 'noequals'] });
    expect(found(loaded)).toEqual(['template/undeclared-variable -', 'template/variable-syntax -']);
    expect(loaded.diagnostics[0]?.hint).toBe('Did you mean "fruit"?');
  });

  test('a file sets what nobody declared: a warning', async () => {
    const path = folderOf({ 'm.pkr.hcl': '', 'v.pkrvars.hcl': 'x = 1\n' });
    const options = { path, varFiles: [join(path, 'v.pkrvars.hcl')] };
    expect((await loadTemplate(options)).diagnostics).toMatchObject([
      { code: 'template/undeclared-variable', severity: 'warning' },
    ]);
    expect((await loadTemplate({ ...options, warnUndeclared: false })).diagnostics).toEqual([]);
  });

  test('files', async () => {
    await expect(loadTemplate({ path: '/nonexistent/x' })).rejects.toMatchObject({
      code: 'template/no-such-file',
    });
    expect((await loadTemplate({ path: folderOf({}) })).diagnostics).toMatchObject([
      { code: 'template/no-files' },
    ]);
    const folder = folderOf({});
    writeFileSync(join(folder, 'x.pkr.hcl'), Buffer.from([0x61, 0xff]));
    expect(
      (await loadTemplate({ path: folder, varFiles: [join(folder, 'none')] })).diagnostics,
    ).toMatchObject([{ code: 'template/unreadable' }, { code: 'template/not-utf8' }]);
    const huge = async () => new Uint8Array(64 * 1024 * 1024 + 1);
    expect((await loadTemplate({ path: folder, readFile: huge })).diagnostics).toMatchObject([
      { code: 'template/too-large' },
    ]);
  });

  test('a sensitive value is in no message', async () => {
    const text =
      'variable "x" {\n  type = number\n  sensitive = true\n}\nvariable "y" {\n  type = bool\n  sensitive = true\n}\n';
    const loaded = await load(text, { vars: ['x=hunter2', 'y="hunter2"'] });
    expect(loaded.diagnostics).toHaveLength(2);
    expect(JSON.stringify(loaded.diagnostics)).not.toContain('hunter2');
    expect(JSON.stringify([...loaded.sources])).not.toContain('hunter2');
  });
});

test('a chain of 5000 locals is evaluated, whatever their order', async () => {
  const names = Array.from(
    { length: 5000 },
    (_, i) => `  l${i} = ${i === 4999 ? '1' : `local.l${i + 1} + 1`}`,
  );
  const { template, diagnostics } = await load(`locals {\n${names.join('\n')}\n}\n`);
  expect(diagnostics).toEqual([]);
  expect(toJson(template.locals[0]?.value as never)).toBe(5000);
});

test('data sources are asked in order, and locals see their answers', async () => {
  const text =
    'data "null" "b" {\n  input = local.l\n}\nlocals {\n  l = "${data.null.a.output}!"\n  m = data.null.b.output\n}\ndata "null" "a" {\n  input = "x"\n}\n';
  const spec = bodySpec({ input: attr.string('What to give back.', { required: true }) });
  const asked: string[] = [];
  const { template, diagnostics } = await load(text, {
    readData: async (source, scope) => {
      asked.push(source.name);
      return { output: decodeBody(source.body, spec, scope).options?.input ?? null };
    },
  });
  expect(diagnostics).toEqual([]);
  expect(asked).toEqual(['a', 'b']);
  expect(template.locals.map((l) => toJson(l.value))).toEqual(['x!', 'x!']);
  const unread = await load(text);
  expect(unread.diagnostics).toEqual([]);
  expect(unread.template.locals[0]?.value.data).toBeUndefined();
});

test('path, packer and file functions', async () => {
  const path = folderOf({ 'm.pkr.hcl': '', 'hello.txt': 'hi' });
  const { template } = await loadTemplate({ path });
  const ask = (text: string) => {
    const { expression } = parseHclExpression(text, 'x');
    return expression && toJson(evaluate(expression, template.scope, []));
  };
  expect(ask('file("${path.root}/hello.txt")')).toBe('hi');
  expect(ask('path.cwd')).toBe(process.cwd());
  expect(ask('packer.version')).toMatch(/^1\.9\./);
});
