import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { attr, bodySpec } from '../../../src/core/body-spec.ts';
import { decodeBody, loadTemplate } from '../../../src/template/index.ts';

const spec = bodySpec({
  text: attr.string('Text.'),
  list: attr.strings('List.'),
  map: attr.stringMap('Map.'),
  command: attr.string('Filled by the plugin.', { goTemplate: true }),
});

/** Decodes a provisioner's body in a build. */
async function decode(body: string, vars: readonly string[] = [], build?: ReadonlyMap<string, string>) {
  const path = mkdtempSync(join(tmpdir(), 'ingot-strings-'));
  try {
    writeFileSync(
      join(path, 'a.pkr.hcl'),
      `variable "v" {
  default = "V"
}
variable "secret" {
  default   = "hidden"
  sensitive = true
}
source "null" "a" {
}
build {
  sources = ["null.a"]
  provisioner "x" {
${body}
  }
}
`,
    );
    const { template, diagnostics } = await loadTemplate({
      path,
      vars,
      now: new Date('2026-02-03T04:05:06Z'),
      hmacKey: new Uint8Array(32),
    });
    expect(diagnostics).toEqual([]);
    const [found] = template.builds;
    if (!found?.sources[0] || !found.provisioners[0]) throw new Error('no build');
    return decodeBody(found.provisioners[0].body, spec, found.sources[0].scope, build ? { build } : {});
  } finally {
    rmSync(path, { recursive: true });
  }
}

test.each([
  ['text = "{{ upper `a` }}-${lower("B")}"', { text: 'A-b' }],
  ['text = "{{build_type}}.{{ build_name }} {{user `v`}}"', { text: 'null.a V' }],
  ['text = "{{ if eq `a` `b` }}1{{ else }}2{{ end }}"', { text: '2' }],
  ['text = "{{`{{`}} as it is }}"', { text: '{{ as it is }}' }],
  ['list = ["{{isotime `2006-01-02`}}", "plain"]', { list: ['2026-02-03', 'plain'] }],
  ['map = { a = "{{timestamp}}", b = "}}" }', { map: { a: '1770091506', b: '}}' } }],
  // What only the plugin knows is left for it, or, where it fills nothing, as it is.
  ['command = "{{upper `run`}} {{ .Path }}"', { command: 'RUN {{ .Path }}' }],
  ['text = "docker inspect --format {{.Id}}"', { text: 'docker inspect --format {{.Id}}' }],
])('%s', async (body, expected) => {
  const { options, diagnostics } = await decode(body);
  expect(diagnostics).toEqual([]);
  expect(JSON.parse(JSON.stringify(options))).toEqual(expected);
});

test.each([
  ['text = "{{"', /"\{\{" has no "\}\}"/],
  ['list = ["a", "{{nope}}"]', /function "nope" not defined/],
  ['map = { a = "{{env `HOME`}}" }', /in the values of variables only/],
  ['text = "{{user `w`}}"', /"w"/],
])('%s is an error with its place', async (body, message) => {
  const { options, diagnostics } = await decode(body);
  expect(options).toBeUndefined();
  expect(diagnostics).toHaveLength(1);
  expect(diagnostics[0]?.message).toMatch(message);
  expect(diagnostics[0]?.range?.start.line).toBe(13);
});

test('what changes from run to run, and what is secret, is known as such', async () => {
  expect((await decode('text = "{{timestamp}}"')).volatile).toBe(true);
  expect((await decode('text = "{{upper `x`}}"')).volatile).toBe(false);
  const secret = await decode('text = "a {{user `secret`}}"');
  expect(secret.secrets).toContain('hidden');
  expect(JSON.stringify(secret.hashForm)).not.toContain('hidden');
});

test('build is known when the machine is, and the digest changes with what is known before', async () => {
  const body = 'text = "{{ build `ID` }} {{user `v`}}"';
  const planned = await decode(body);
  expect(planned.unknown).toBe(true);
  expect((await decode(body, ['v=other'])).hashForm).not.toEqual(planned.hashForm);
  expect((await decode(body, [], new Map([['ID', 'i-1']]))).options).toMatchObject({ text: 'i-1 V' });
});
