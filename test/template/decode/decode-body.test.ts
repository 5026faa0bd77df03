import { describe, expect, test } from 'vitest';
import { attr, block, blocks, bodySpec } from '../../../src/core/body-spec.ts';
import {
  decodeBody,
  emptyScope,
  parseHcl,
  valueFromJson,
  withVariables,
} from '../../../src/template/index.ts';
import { sensitiveMark } from '../../../src/template/value/marks.ts';
import { mark, string, UNKNOWN } from '../../../src/template/value/value.ts';
import { testScope } from '../evaluate-text.ts';

const spec = bodySpec(
  {
    name: attr.string('Name.', { required: true }),
    size: attr.size('Size.', { default: 1024 }),
    mode: attr.octal('Mode.'),
    wait: attr.duration('Wait.', { unhashed: true }),
    count: attr.number('Count.'),
    on: attr.bool('On.', { default: true }),
    tags: attr.stringMap('Tags.'),
    list: attr.strings('List.'),
    format: attr.string('Format.', { oneOf: ['qcow2', 'raw'] }),
    old: attr.string('Old.', { deprecated: 'Use name.' }),
    token: attr.string('Token.', { sensitive: true }),
  },
  {
    disk: block(bodySpec({ gib: attr.number('Size.', { required: true }) }), { doc: 'Disk.' }),
    output: blocks(bodySpec({ compression: attr.string('How.') }), { doc: 'Output.', labels: ['format'] }),
  },
  (o) => (o.list && o.list.length === 0 ? [{ path: ['list'], message: 'the list is empty' }] : []),
);

const scope = {
  ...withVariables(testScope(), {
    secret: mark(string('hunter2'), sensitiveMark('var.pw')),
    later: UNKNOWN,
    pairs: valueFromJson([{ f: 'a' }, { f: 'b' }]),
  }),
  hmacKey: Buffer.from('key'),
  secrets: new Map([['var.pw', ['hunter2']]]),
};

function decode(text: string) {
  const parsed = parseHcl(text, 'x.hcl');
  expect(parsed.diagnostics).toEqual([]);
  return decodeBody(parsed.body, spec, scope);
}

describe('options', () => {
  test('formats, defaults, blocks and labels', () => {
    const decoded = decode(
      'name = "n"\nsize = "2G"\nmode = "0644"\nwait = "1m30s"\ntags = { a = 1 }\nlist = [1, "x"]\ndisk {\n  gib = "8"\n}\noutput "raw" {}\noutput "qcow2" {\n  compression = "zstd"\n}\n',
    );
    expect(decoded.diagnostics).toEqual([]);
    expect(JSON.parse(JSON.stringify(decoded.options))).toEqual({
      name: 'n',
      size: 2 ** 31,
      mode: 0o644,
      wait: 90_000,
      on: true,
      tags: { a: '1' },
      list: ['1', 'x'],
      disk: { gib: 8 },
      output: [{ format: 'raw' }, { format: 'qcow2', compression: 'zstd' }],
    });
    expect(decoded.hashForm).not.toHaveProperty('wait');
    expect(decoded.hashForm).toMatchObject({ size: 2 ** 31, on: true, disk: { gib: 8 } });
  });

  test('null is as good as nothing', () => {
    expect(decode('name = "n"\nsize = null\n').options?.size).toBe(1024);
    expect(decode('name = null\n').diagnostics[0]?.code).toBe('template/null-value');
  });

  test('dynamic blocks', () => {
    const decoded = decode(
      'name = "n"\ndynamic "output" {\n  for_each = pairs\n  iterator = p\n  labels = [p.value.f]\n  content {\n    compression = "c${p.key}"\n  }\n}\n',
    );
    expect(decoded.diagnostics).toEqual([]);
    expect(JSON.parse(JSON.stringify(decoded.options?.output))).toEqual([
      { format: 'a', compression: 'c0' },
      { format: 'b', compression: 'c1' },
    ]);
  });

  test('equal options written in other ways have one hash form', () => {
    const a = decode('name = "n"\nsize = "1024"\ncount = 1.0\n');
    const b = decode('# comment\ncount = "1"\nname = "${"n"}"\n');
    expect(a.hashForm).toEqual(b.hashForm);
  });

  test('names of prototypes as keys', () => {
    const { options } = decode('name = "n"\ntags = { __proto__ = "x", constructor = "y" }\n');
    expect(Object.getPrototypeOf(options?.tags)).toBeNull();
    expect(Object.keys(options?.tags ?? {})).toEqual(['__proto__', 'constructor']);
  });
});

describe('secrets', () => {
  test('show in options, not in the hash form', () => {
    const decoded = decode('name = "x-${secret}"\nlist = [secret, "plain"]\ntoken = "t0ken"\n');
    expect(decoded.options?.name).toBe('x-hunter2');
    expect(new Set(decoded.secrets)).toEqual(new Set(['x-hunter2', 'hunter2', 't0ken']));
    const text = JSON.stringify(decoded.hashForm);
    expect(text).not.toMatch(/hunter2|t0ken/);
    expect(decoded.hashForm).toMatchObject({
      name: { $sensitive: ['var.pw'] },
      list: [{ $sensitive: ['var.pw'] }, 'plain'],
    });
  });

  test('another value or key gives another hash form', () => {
    const { body } = parseHcl('name = secret\n', 'x.hcl');
    const forms = [
      scope,
      { ...scope, hmacKey: Buffer.from('other') },
      withVariables(scope, { secret: mark(string('hunter3'), sensitiveMark('var.pw')) }),
    ].map((s) => JSON.stringify(decodeBody(body, spec, s).hashForm));
    expect(new Set(forms).size).toBe(3);
    expect(JSON.stringify(decodeBody(body, spec, scope).hashForm)).toBe(forms[0]);
  });
});

test('what is not known yet is undefined, and its known parts are hashed', () => {
  const form = (pairs: unknown): string => {
    const { body } = parseHcl('name = "${later}-${pairs}"\n', 'x.hcl');
    const decoded = decodeBody(body, spec, withVariables(scope, { pairs: valueFromJson(pairs as string) }));
    expect(decoded).toMatchObject({ unknown: true, diagnostics: [] });
    expect(decoded.options?.name).toBeUndefined();
    return JSON.stringify(decoded.hashForm);
  };
  expect(form('a')).toBe(form('a'));
  expect(form('a')).not.toBe(form('b'));
});

describe('what is wrong, all at once', () => {
  test.each([
    ['nmae = "n"\n', ['template/unknown-argument', 'template/missing-argument'], 'Did you mean "name"?'],
    ['name = "n"\ntags {}\n', ['template/unknown-block'], 'tags is an argument: write `tags = …`.'],
    ['name = "n"\ndisk = 1\n', ['template/unknown-argument'], 'disk is a block: write `disk { … }`.'],
    ['name = "n"\noutpt "x" {}\n', ['template/unknown-block'], 'Did you mean "output"?'],
    ['name = ["n"]\ncount = "x"\n', ['template/wrong-type', 'template/wrong-type']],
    ['name = "n"\ncount = 2.5\n', ['template/wrong-type']],
    ['name = "n"\ncount = "2.5"\n', ['template/wrong-type']],
    ['name = "n"\ncount = 2e1\n', []],
    [
      'name = "n"\nwait = "90"\nsize = "big"\nmode = "999"\n',
      ['template/wrong-format', 'template/wrong-format', 'template/wrong-format'],
    ],
    ['name = "n"\nformat = "qcow3"\n', ['template/wrong-value'], 'Did you mean "qcow2"?'],
    ['name = "n"\nold = "x"\n', ['template/deprecated'], 'Use name.'],
    ['name = "n"\ndisk {}\n', ['template/missing-argument']],
    ['name = "n"\ndisk {\n  gib = 1\n}\ndisk {\n  gib = 2\n}\n', ['template/duplicate']],
    ['name = "n"\noutput {}\n', ['template/labels']],
    ['name = "n"\nlist = []\n', ['template/invalid-option']],
    ['name = nope\ncount = nope2\n', ['template/unknown-variable', 'template/unknown-variable']],
    ['name = "n"\ndynamic "output" {}\n', ['template/dynamic-block']],
  ])('%j', (text, codes, hint?: string) => {
    const { diagnostics, options } = decode(text);
    expect(diagnostics.map((d) => d.code).sort()).toEqual([...codes].sort());
    if (hint !== undefined) expect(diagnostics.map((d) => d.hint)).toContain(hint);
    expect(options === undefined).toBe(diagnostics.some((d) => d.severity === 'error'));
  });

  test('the place is that of the element', () => {
    const { body } = parseHcl('name = "n"\nlist = ["a",\n  ["b"]]\n', 'x.hcl');
    expect(decodeBody(body, spec, scope).diagnostics[0]).toMatchObject({
      range: { start: { line: 3, column: 3 } },
    });
    const fine = decodeBody(
      parseHcl('name = "n"\noutput "raw" {\n  compression = "x"\n}\n', 'x.hcl').body,
      spec,
      emptyScope(),
    );
    expect(fine.ranges(['output', 0, 'compression']).start.line).toBe(3);
    expect(fine.ranges(['output', 0, 'nope']).start.line).toBe(2);
    expect(fine.ranges(['nope']).start.line).toBe(1);
  });
});
