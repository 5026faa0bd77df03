import fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { attr, block, blocks, bodySpec } from '../../../src/core/body-spec.ts';
import { decodeBody, loadTemplate, toJson } from '../../../src/template/index.ts';
import { parseJsonBody } from '../../../src/template/json/parse-json-body.ts';
import { testScope } from '../evaluate-text.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function load(json: unknown) {
  const path = mkdtempSync(join(tmpdir(), 'ingot-json-'));
  folders.push(path);
  writeFileSync(
    join(path, 'x.pkr.json'),
    typeof json === 'string' ? json : JSON.stringify(json, undefined, 2),
  );
  return await loadTemplate({ path });
}

test('a template in JSON syntax', async () => {
  const { template, diagnostics } = await load({
    '//': 'a comment',
    packer: { required_version: '>= 1.7' },
    variable: {
      suite: { type: 'string', default: 'bookworm' },
      list: { type: 'list(number)', default: ['1', 2] },
    },
    locals: { name: 'web-${var.suite}', deep: { a: ['${local.name}!', '$${kept}'] } },
    source: { mmdebstrap: { base: { suite: '${var.suite}', disk: [{ size: 1 }, { size: 2 }] } } },
    build: {
      name: 'b',
      sources: ['mmdebstrap.base'],
      provisioner: [
        { shell: { inline: ['echo ${source.name} ${build.ID}'], pause_before: '5s' } },
        { file: { source: 'a' } },
      ],
      'post-processors': [{ 'post-processor': [{ checksum: {} }, { compress: {} }] }],
    },
  });
  expect(diagnostics).toEqual([]);
  expect(template.locals.map((l) => toJson(l.value))).toEqual([
    'web-bookworm',
    { a: ['web-bookworm!', '${kept}'] },
  ]);
  expect(toJson(template.values)).toEqual({ suite: 'bookworm', list: [1, 2] });
  const [build] = template.builds;
  expect(build?.provisioners.map((p) => [p.type, p.meta])).toEqual([
    ['shell', { pauseBeforeMs: 5000 }],
    ['file', {}],
  ]);
  expect(build?.postProcessors.map((c) => c.map((p) => p.type))).toEqual([['checksum', 'compress']]);
  const disk = blocks(bodySpec({ size: attr.number('Size.') }), { doc: 'Disk.' });
  const [use] = build?.sources ?? [];
  const decoded =
    use && decodeBody(use.body, bodySpec({ suite: attr.string('Suite.') }, { disk }), use.scope);
  expect(JSON.parse(JSON.stringify(decoded?.options))).toEqual({
    suite: 'bookworm',
    disk: [{ size: 1 }, { size: 2 }],
  });
});

test('blocks nested in a dynamic one know its iterator', async () => {
  const { template, diagnostics } = await load({
    source: { null: { a: {} } },
    build: {
      sources: ['null.a'],
      dynamic: {
        provisioner: {
          for_each: ['x', 'y'],
          iterator: 'turn',
          labels: ['shell'],
          content: {
            name: '${turn.value}',
            inner: [
              { text: 'a ${turn.key}', deepest: { text: '${turn.value}' } },
              { text: 'b ${turn.value}' },
            ],
            dynamic: {
              more: { for_each: ['1'], content: { text: '${turn.value}${more.value}' } },
              // Its own iterator hides the outer one in what it holds.
              hidden: {
                iterator: 'turn',
                for_each: ['${turn.value}!'],
                content: { text: '${turn.value}', deepest: { text: '${turn.value}' } },
              },
            },
          },
        },
      },
    },
  });
  expect(diagnostics).toEqual([]);
  const text = { text: attr.string('Text.') };
  const inner = bodySpec(text, { deepest: block(bodySpec(text), { doc: 'Deepest.' }) });
  const many = blocks(inner, { doc: 'Blocks.' });
  const spec = bodySpec({}, { inner: many, more: many, hidden: many });
  const [build] = template.builds;
  const decoded = build?.provisioners.map((p) => {
    const found = decodeBody(p.bodyFor('a'), spec, build.sources[0]?.scope ?? testScope());
    expect(found.diagnostics).toEqual([]);
    return { name: p.name, ...(JSON.parse(JSON.stringify(found.options)) as object) };
  });
  const expected = (key: number, value: string) => ({
    name: value,
    inner: [{ text: `a ${key}`, deepest: { text: value } }, { text: `b ${value}` }],
    more: [{ text: `${value}1` }],
    hidden: [{ text: `${value}!`, deepest: { text: `${value}!` } }],
  });
  expect(decoded).toEqual([expected(0, 'x'), expected(1, 'y')]);
});

test('blocks with labels, and dynamic ones', () => {
  const spec = bodySpec(
    {},
    {
      out: blocks(bodySpec({ n: attr.number('N.') }), { doc: 'Out.', labels: ['kind'] }),
      one: block(bodySpec({}), { doc: 'One.' }),
    },
  );
  const { body } = parseJsonBody('{"out": {"raw": {"n": 1}, "vhd": [{"n": 2}, {}]}, "one": {}}', 'x.json');
  expect(JSON.parse(JSON.stringify(decodeBody(body, spec, testScope()).options))).toEqual({
    out: [{ kind: 'raw', n: 1 }, { kind: 'vhd', n: 2 }, { kind: 'vhd' }],
    one: {},
  });
  const dynamic = parseJsonBody(
    '{"dynamic": {"out": {"for_each": [7], "labels": ["x"], "content": {"n": "${out.value}"}}}}',
    'x.json',
  );
  expect(JSON.parse(JSON.stringify(decodeBody(dynamic.body, spec, testScope()).options))).toEqual({
    out: [{ kind: 'x', n: 7 }],
  });
});

describe('what is wrong has its place', () => {
  test.each([
    ['{\n  "locals": { "a": "${nope}" }\n}', 'template/unknown-variable', 2, 23],
    ['{\n  "locals": { "a": "\\n${nope}" }\n}', 'template/unknown-variable', 2, 20],
    ['{\n  "locals": { "a": "${1 +}" }\n}', 'template/syntax', 2, 26],
    ['{\n  "locals": { "a": 1, "a": 2 }\n}', 'template/duplicate', 2, 23],
    ['{\n  "sorce": {}\n}', 'template/unknown-argument', 2, 3],
    ['{\n  "source": {"null": 1}\n}', 'template/syntax', 2, 22],
    ['{\n  "a": \n', 'template/syntax', 3, 1],
    ['{\n  "a": tru\n}', 'template/syntax', 2, 8],
    ["{'a': 1}", 'template/syntax', 1, 2],
    ['[1]', 'template/syntax', 1, 2],
    ['{"a": "\u0001"}', 'template/syntax', 1, 7],
    ['', 'template/syntax', 1, 1],
  ])('%j', async (text, code, line, column) => {
    const { diagnostics } = await load(text);
    expect(diagnostics).toMatchObject([{ code, range: { start: { line, column } } }]);
  });
});

test('any text is read or refused, in bounded time and depth', () => {
  const json = fc.oneof(
    fc.json(),
    fc.string({ unit: 'binary' }),
    fc.json().map((text) => text.slice(0, -1)),
  );
  fc.assert(
    fc.property(json, (text) => {
      const { diagnostics } = parseJsonBody(text, 'x.json');
      let valid = true;
      try {
        JSON.parse(text);
      } catch {
        valid = false;
      }
      if (!valid) expect(diagnostics.length).toBeGreaterThan(0);
    }),
    { numRuns: 1000 },
  );
  for (const text of [
    '['.repeat(100_000),
    '{"a":'.repeat(100_000),
    `"${'\\'.repeat(100_000)}`,
    ' '.repeat(1_000_000),
  ]) {
    expect(parseJsonBody(text, 'x.json').diagnostics).toHaveLength(1);
  }
});
