import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { attr, blocks, bodySpec } from '../../../src/core/body-spec.ts';
import { decodeBody, type LoadOptions, loadTemplate, toJson } from '../../../src/template/index.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function load(json: unknown, options: Omit<LoadOptions, 'path'> = {}, varFile?: unknown) {
  const folder = mkdtempSync(join(tmpdir(), 'ingot-legacy-'));
  folders.push(folder);
  const path = join(folder, 'template.json');
  writeFileSync(path, typeof json === 'string' ? json : JSON.stringify(json, undefined, 2));
  if (varFile !== undefined) writeFileSync(join(folder, 'vars.json'), JSON.stringify(varFile));
  return await loadTemplate({
    path,
    now: new Date('2024-02-29T13:04:05Z'),
    ...(varFile !== undefined && { varFiles: [join(folder, 'vars.json')] }),
    ...options,
  });
}

const spec = bodySpec(
  {
    inline: attr.strings('Commands.'),
    content: attr.string('Text.'),
    execute_command: attr.string('Command.', { goTemplate: true }),
    count: attr.number('Count.'),
  },
  { tag: blocks(bodySpec({ key: attr.string('Key.') }), { doc: 'Tag.' }) },
);

const NULL = { type: 'null', communicator: 'none' };

test('a whole template is one build', async () => {
  const { template, diagnostics } = await load(
    {
      _comment: 'x',
      description: 'about it',
      min_packer_version: '1.3.0',
      variables: { name: 'web', full: '{{user `name`}}-{{env `FROM`}}', count: '3', need: null },
      'sensitive-variables': ['need'],
      builders: [
        { type: 'file', content: '{{user `full`}} {{upper `x`}}' },
        { type: 'file', name: 'second', tag: [{ key: '{{user `name`}}' }, { key: 'b' }] },
      ],
      provisioners: [
        {
          type: 'shell',
          inline: 'echo {{ user `need` }} {{ build `ID` }} {{build_name}}',
          execute_command: '{{ .Vars }} sh {{ .Path }} {{ user `name` }}',
          only: ['second'],
          pause_before: '5s',
          override: { second: { count: '{{user `count`}}' } },
        },
      ],
      'error-cleanup-provisioner': { type: 'shell-local', inline: ['true'] },
      'post-processors': [
        'compress',
        { type: 'checksum', except: ['file'] },
        [{ type: 'manifest' }, 'compress'],
      ],
      push: { name: 'ignored' },
    },
    { vars: ['need=hunter2'], env: { FROM: 'env' }, hmacKey: Buffer.from('k') },
  );
  expect(diagnostics).toEqual([]);
  expect(template.syntax).toBe('legacy');
  expect(toJson(template.values)).toEqual({ name: 'web', full: 'web-env', count: '3', need: 'hunter2' });
  const [build] = template.builds;
  expect(build?.sources.map((s) => `${s.type}.${s.name}`)).toEqual(['file.file', 'file.second']);
  expect(build?.postProcessors.map((c) => c.map((p) => p.type))).toEqual([
    ['compress'],
    ['checksum'],
    ['manifest', 'compress'],
  ]);
  expect(build?.errorCleanup?.type).toBe('shell-local');
  const [first, second] = build?.sources ?? [];
  const [provisioner] = build?.provisioners ?? [];
  if (!first || !second || !provisioner) throw new Error('two builders and a provisioner');
  expect(provisioner.meta).toEqual({ only: ['second'], pauseBeforeMs: 5000 });
  expect(decodeBody(first.body, spec, first.scope).options?.content).toBe('web-env X');
  expect(JSON.parse(JSON.stringify(decodeBody(second.body, spec, second.scope).options?.tag))).toEqual([
    { key: 'web' },
    { key: 'b' },
  ]);

  const before = decodeBody(provisioner.bodyFor('second'), spec, second.scope);
  expect(before).toMatchObject({ unknown: true, diagnostics: [] });
  expect(JSON.stringify(before.hashForm)).not.toContain('hunter2');
  const during = decodeBody(provisioner.bodyFor('second'), spec, second.scope, {
    build: new Map([['ID', 'i-1']]),
  });
  expect(JSON.parse(JSON.stringify(during.options))).toMatchObject({
    inline: ['echo hunter2 i-1 second'],
    execute_command: '{{ .Vars }} sh {{ .Path }} web',
    count: 3,
  });
  expect(during.secrets).toContain('hunter2');
});

test('values: default, then file, then -var', async () => {
  const json = { variables: { a: 'default', b: 'default', c: 'default' }, builders: [NULL] };
  const { template, diagnostics } = await load(
    json,
    { vars: ['c=var'] },
    { b: 'file ${kept} {{user `a`}}', c: 'file' },
  );
  expect(diagnostics).toEqual([]);
  expect(toJson(template.values)).toEqual({ a: 'default', b: 'file ${kept} {{user `a`}}', c: 'var' });
});

test.each([
  ['{{isotime "2006-01-02"}}', '2024-02-29'],
  ['{{isotime}}', '2024-02-29T13:04:05Z'],
  ['{{timestamp}}', '1709211845'],
  ['{{strftime "%Y"}}', '2024'],
  ['{{split "a-b-c" "-" 1}}', 'b'],
  ['{{replace "a" "b" 1 "aaa"}}', 'baa'],
  ['{{"aaa" | replace_all "a" "b"}}', 'bbb'],
  ['{{packer_version}}', '1.9.5'],
  ['{{template_dir}}', '.'],
  ['{{clean_resource_name "a b/c"}}', 'a-b-c'],
  ['{{lower "A"}}{{upper "b"}}', 'aB'],
  ['{{pwd}}', process.cwd()],
  ['{{user `x` | upper}}', 'X Y'],
  ['{{if eq (user `x`) "x y"}}same{{else}}other{{end}}', 'same'],
  ['{{$v := user `x`}}{{$v}}!', 'x y!'],
  ['{{ .Path }} {{if .Vars}}{{user `x`}}{{end}}', '{{ .Path }} {{if .Vars}}{{user `x`}}{{end}}'],
  ['${not.hcl} %{ }', '${not.hcl} %{ }'],
])('%s', async (text, expected) => {
  const { template, diagnostics } = await load({
    variables: { x: 'x y' },
    builders: [{ type: 'file', content: text }],
  });
  expect(diagnostics).toEqual([]);
  const [use] = template.builds[0]?.sources ?? [];
  expect(use && decodeBody(use.body, spec, use.scope).options?.content).toBe(expected);
});

test('a time or a random value is volatile, a secret stays one through functions', async () => {
  const { template } = await load({
    variables: { pw: 'hunter2' },
    'sensitive-variables': ['pw'],
    builders: [
      { type: 'file', name: 'a', content: '{{uuid}}' },
      { type: 'file', name: 'b', content: '{{user `pw` | upper}}' },
    ],
  });
  const [a, b] = (template.builds[0]?.sources ?? []).map((use) => decodeBody(use.body, spec, use.scope));
  expect(a?.volatile).toBe(true);
  expect(b?.volatile).toBe(false);
  expect(JSON.stringify(b?.hashForm)).not.toMatch(/hunter2/i);
  expect(b?.secrets).toContain('HUNTER2');
});

describe('what is wrong has its line', () => {
  test.each<[unknown, string[]]>([
    ['{\n"builders": [}', ['template/syntax 2']],
    ['*', ['template/syntax 1']],
    [{}, ['template/no-builders 1']],
    [{ bilders: [], builders: [NULL] }, ['template/unknown-argument 2']],
    ['{"variables": {}, "variables": {}, "builders": [{"type": "null"}]}', ['template/duplicate 1']],
    [{ builders: [{ foo: 1 }] }, ['template/missing-argument 3']],
    [{ builders: [NULL, NULL] }, ['template/duplicate 7']],
    [{ builders: [NULL], provisioners: 'x' }, ['template/wrong-type 8']],
    [{ builders: [NULL], provisioners: [{ foo: 1 }] }, ['template/missing-argument 9']],
    [{ builders: [NULL], provisioners: [{ type: 'shell', only: ['nul'] }] }, ['template/unknown-source 9']],
    [
      { builders: [NULL], 'post-processors': [{ type: 'x', except: ['nope'] }] },
      ['template/unknown-source 9'],
    ],
    [
      { builders: [NULL], provisioners: [{ type: 'x', override: { nope: {} } }] },
      ['template/unknown-source 9'],
    ],
    [{ builders: [NULL], variables: { a: null } }, ['template/unset-variable 9']],
    [{ builders: [NULL], variables: { a: '{{user `b`}}', b: '{{user `a`}}' } }, ['template/go-template 10']],
    [{ builders: [NULL], variables: { a: { b: 1 } } }, ['template/wrong-type 9']],
    [{ builders: [NULL], min_packer_version: '101.0.0' }, ['template/required-version 8']],
    [{ builders: [{ type: 'file', content: '{{nope}}' }] }, ['template/go-template 5']],
    [{ builders: [{ type: 'file', content: '{{env `X`}}' }] }, ['template/go-template 5']],
    [{ builders: [{ type: 'file', content: '{{' }] }, ['template/go-template 5']],
    [{ builders: [NULL], variables: { __proto__x: 'x' }, __proto__: 1 }, []],
  ])('%j', async (json, codes) => {
    const { diagnostics } = await load(json);
    expect(diagnostics.map((d) => `${d.code} ${d.range?.start.line}`)).toEqual(codes);
  });

  test('an undeclared user variable is named, and empty', async () => {
    const { template, diagnostics } = await load({
      variables: { name: 'x' },
      builders: [{ type: 'file', content: '<{{user `nmae`}}>', inline: '{{user `nmae` | upper}}' }],
    });
    expect(diagnostics).toMatchObject([
      { code: 'template/unknown-variable', severity: 'warning', hint: 'Did you mean "name"?' },
    ]);
    const [use] = template.builds[0]?.sources ?? [];
    expect(use && decodeBody(use.body, spec, use.scope).options).toMatchObject({ content: '<>' });
  });

  test.each([
    [{ builders: [NULL], description: null, variables: null, min_packer_version: '' }, []],
    [{ builders: [NULL], variables: [{ a: 'x' }] }, ['variables: expected an object, got array']],
    [
      { builders: [NULL], 'sensitive-variables': ['a', 1] },
      ['sensitive-variables: expected names of variables, got number'],
    ],
    [{ builders: [{ ...NULL, name: ['a'] }] }, ['name: expected string, got array']],
    [{ builders: [NULL], push: null }, []],
    [{ builders: [NULL], push: { name: 1, include: 'a' } }, []],
    [{ builders: [NULL], push: 'x' }, ['push: expected an object, got string']],
    [{ builders: [NULL], push: [] }, ['push: expected an object, got array']],
    [{ builders: [NULL], provisioners: [{ type: 'shell', only: 'null' }] }, []],
    [{ builders: [NULL], provisioners: [{ type: 'shell', only: null }] }, []],
    [
      { builders: [NULL], provisioners: [{ type: 'shell', only: [null] }] },
      ['only: expected names, got null among them'],
    ],
    [
      { builders: [NULL], 'post-processors': [{ type: 'manifest', except: [null] }] },
      ['except: expected names, got null among them'],
    ],
  ])('%j: what Packer takes and refuses', async (json, messages) => {
    const { diagnostics } = await load(json);
    expect(diagnostics.map(({ message }) => message)).toEqual(messages);
  });
});
