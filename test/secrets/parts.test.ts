import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { environmentLines, environmentOf } from '../../src/secrets/environment-lines.ts';
import { pick } from '../../src/secrets/fragment.ts';
import { goJson } from '../../src/secrets/go-json.ts';
import { goYaml } from '../../src/secrets/go-yaml.ts';
import { selectJson } from '../../src/secrets/json-path.ts';
import { decodeSecret, encodeSecret } from '../../src/secrets/kubernetes/secret.ts';
import { naturally } from '../../src/secrets/natural-order.ts';
import { readYaml } from '../../src/secrets/document.ts';
import { substitute } from '../../src/secrets/substitute.ts';
import { lookupState } from '../../src/secrets/tfstate/lookup.ts';
import { writeSecretFile } from '../../src/secrets/write-secret-file.ts';

describe('fragments', () => {
  const document = { a: { b: ['x', { c: 0 }], '': 'empty', n: null }, 'k.x': 1 };
  test.each([
    ['a/b/0', 'x'],
    ['a/b/1/c', 0],
    ['a/b/-1/c', 0],
    ['a/', 'empty'],
    ['a/n', null],
    ['k.x', 1],
  ])('%s', (fragment, value) => expect(pick(document, fragment, 'r')).toEqual({ found: true, value }));
  test.each(['x', 'a/x', 'a/b/2', 'a/b/-3', 'toString', '__proto__'])('%s is not there', (fragment) =>
    expect(pick(document, fragment, 'r')).toEqual({ found: false }),
  );
  test.each(['a/b/x', 'a/b/01', 'a/b/0/x', 'a/n/x'])('%s leads through what is no map', (fragment) =>
    expect(() => pick(document, fragment, 'r')).toThrow(
      expect.objectContaining({ code: 'secrets/not-a-map' }),
    ),
  );
});

test('documents keep large numbers, dates, and keys that are prototypes elsewhere', () => {
  const read = readYaml(
    '{"big": 12345678901234567890, "n": 7, "d": 2020-01-01, "__proto__": {"x": 1}}',
    'it',
  );
  expect(Object.entries(read as object)).toEqual([
    ['big', 12345678901234567890n],
    ['n', 7],
    ['d', '2020-01-01'],
    ['__proto__', { x: 1 }],
  ]);
  expect(({} as { x?: number }).x).toBeUndefined();
  const tenfold = (name: string, of: string): string =>
    `${name}: &${name} [${Array(10).fill(of).join(', ')}]\n`;
  const bomb = ['b', 'c', 'd', 'e', 'f', 'g'].reduce(
    (text, name, i) => text + tenfold(name, `*${'abcdef'.charAt(i)}`),
    tenfold('a', 'x'),
  );
  expect(() => readYaml(bomb, 'a bomb')).toThrow(expect.objectContaining({ code: 'secrets/bad-document' }));
});

describe('variables in a text', () => {
  const env: Record<string, string> = { A: 'a', EMPTY: '' };
  test.each([
    ['$A-${A}', 'a-a'],
    ['$NO${NO}', ''],
    ['${NO:-d}${EMPTY-d}${EMPTY:-e}', 'de'],
    ['${A:+x}${NO+x}', 'x'],
    ['$$A ${ $', '$A ${ $'],
  ])('%s', (text, expected) => expect(substitute(text, (name) => env[name])).toBe(expected));
  test('a needed one that is missing', () =>
    expect(() => substitute('${NO:?}', () => undefined)).toThrow(
      expect.objectContaining({ code: 'secrets/not-found' }),
    ));
});

describe('XPath in JSON', () => {
  const document = [
    { name: 'chartify', id: 1 },
    { name: 'go-yaml', owner: { name: 'x' }, id: 2 },
  ];
  test.each([
    ['//*[1]/name', 'chartify'],
    ['//*[2]/name', 'go-yaml'],
    ['//owner/name', 'x'],
    ["/*[name='go-yaml']/id", 2],
    ['/*[last()]/id', 2],
    ['*/id', 1],
    ['/nothing', undefined],
  ])('%s', (path, expected) => expect(selectJson(document, path)).toBe(expected));
  test.each(['a b', '//*[x>1]', '/name()', '//', 'a[', ''])('%j is not understood', (path) => {
    if (path === '') expect(selectJson(1, path)).toBe(1);
    else
      expect(() => selectJson(document, path)).toThrow(
        expect.objectContaining({ code: 'secrets/bad-reference' }),
      );
  });
});

describe('lines for a shell', () => {
  test('as vals writes them, in the order of their names', () => {
    const variables = environmentOf({ B: 'x y', A: "it's", C: 5, D: '', E: 'a\nb' });
    expect(environmentLines(variables, true)).toBe(
      `export A='it'"'"'s'\nexport B='x y'\nexport C=5\nexport D=\nexport E='a\nb'\n`,
    );
  });
  test.each([{ 'A;rm -rf /': 'x' }, { A: {} }, { A: null }, { A: 'a\0b' }, ['A'], 'A'])(
    '%j is refused',
    (document) => {
      expect(() => environmentOf(document)).toThrow(
        expect.objectContaining({ code: 'secrets/bad-environment' }),
      );
    },
  );
});

describe("Go's own ways of writing", () => {
  test('YAML', () => {
    const value = {
      b10: 'x',
      b2: ['a', { c: 'no' }],
      a: 'a: b',
      n: '5',
      t: 'line\nline\n',
      e: '',
      m: {},
      l: [],
      z: null,
      f: 1.5,
      sp: ' x',
      tab: 'a\tb',
      date: '2020-01-01',
      at: '@x',
    };
    expect(goYaml(value)).toBe(
      [
        "a: 'a: b'",
        "at: '@x'",
        'b2:',
        '  - a',
        '  - c: "no"',
        'b10: x',
        'date: "2020-01-01"',
        'e: ""',
        'f: 1.5',
        'l: []',
        'm: {}',
        '"n": "5"',
        "sp: ' x'",
        't: |',
        '  line',
        '  line',
        'tab: "a\\tb"',
        'z: null',
        '',
      ].join('\n'),
    );
  });

  test('YAML of any value reads as it was', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value));
        expect(parse(goYaml(plain))).toEqual(plain);
      }),
      { numRuns: 300 },
    );
  });

  test('JSON', () => {
    expect(goJson({ b: '<&>\u2028', a: [1n, null, true], Z: 12345678901234567890n })).toBe(
      '{"Z":12345678901234567890,"a":[1,null,true],"b":"\\u003c\\u0026\\u003e\\u2028"}',
    );
  });

  test('keys: numbers in them count', () => {
    const sorted = ['b', 'a10', 'a2', 'a', 'A', '_x', '1', 'a02', 'ab'].sort(naturally);
    expect(sorted).toEqual(['_x', '1', 'A', 'a', 'a2', 'a02', 'a10', 'ab', 'b']);
  });
});

describe('Kubernetes Secrets', () => {
  const secret = { kind: 'Secret', data: { a: 'eA==', bin: '/w==' }, stringData: { b: 'y' } };
  test('data becomes stringData and comes back, bytes included', () => {
    const decoded = decodeSecret(secret) as { stringData: Record<string, unknown> };
    expect(decoded).toEqual({ kind: 'Secret', stringData: { b: 'y', a: 'x', bin: new Uint8Array([255]) } });
    expect(encodeSecret(decoded)).toEqual({ kind: 'Secret', data: { a: 'eA==', b: 'eQ==', bin: '/w==' } });
  });
  test('anything else stays', () => {
    for (const other of [{ kind: 'ConfigMap', data: { a: 'x' } }, [1], 'text', { kind: 'Secret' }]) {
      expect(decodeSecret(other)).toBe(other);
      expect(encodeSecret(other)).toBe(other);
    }
  });
  test('what is no base64 is refused without being shown', () => {
    expect(() => decodeSecret({ kind: 'Secret', data: { a: 'hunter2!' } })).toThrow(
      expect.objectContaining({
        code: 'secrets/bad-document',
        message: expect.not.stringContaining('hunter2') as string,
      }),
    );
  });
});

describe('Terraform states', () => {
  const state = {
    version: 4,
    outputs: {
      host: { value: 'db', type: 'string' },
      hosts: { value: ['a', 'b'], type: ['list', 'string'] },
      'dashed-name': { value: { 'a-b': { c: 1 } }, type: 'object' },
    },
    resources: [
      {
        mode: 'managed',
        type: 'aws_vpc',
        name: 'main',
        instances: [{ attributes: { id: 'vpc-1', tags: { a: 'b' } } }],
      },
      { mode: 'managed', type: 'aws_vpc', name: 'main2', instances: [{ attributes: { id: 'vpc-2' } }] },
      {
        module: 'module.m[0]',
        mode: 'data',
        type: 't',
        name: 'n',
        instances: [{ attributes: { x: [1, 2] } }],
      },
      {
        mode: 'managed',
        type: 'c',
        name: 'count',
        instances: [
          { index_key: 1, attributes: { id: 'i1' } },
          { index_key: 0, attributes: { id: 'i0' } },
        ],
      },
      {
        mode: 'managed',
        type: 'e',
        name: 'each',
        instances: [{ index_key: 'a/b', attributes: { id: 'ea' } }],
      },
      {
        mode: 'data',
        type: 'terraform_remote_state',
        name: 'r',
        instances: [{ attributes: { outputs: { value: { x: 'y' }, type: ['object', {}] } } }],
      },
    ],
  };
  test.each([
    ['output.host', 'db'],
    ['output.hosts[1]', 'b'],
    ['output.dashed-name.a-b.c', 1],
    ['aws_vpc.main.id', 'vpc-1'],
    ['aws_vpc.main2.id', 'vpc-2'],
    ['aws_vpc.main.tags["a"]', 'b'],
    ['module.m[0].data.t.n.x[-1]', 2],
    ['c.count[0].id', 'i0'],
    ['e.each["a/b"].id', 'ea'],
    ['data.terraform_remote_state.r.outputs.x', 'y'],
    ['aws_vpc.main.none', undefined],
    ['aws_vpc.mai', undefined],
    ['output.host.x', undefined],
  ])('%s', (address, expected) => expect(lookupState(state, address)).toEqual(expected));
  test('all instances under the plain address', () => {
    expect(lookupState(state, 'c.count')).toEqual([{ id: 'i0' }, { id: 'i1' }]);
    expect(lookupState(state, 'e.each')).toEqual({ 'a/b': { id: 'ea' } });
  });
  test('other versions', () =>
    expect(() => lookupState({ version: 3 }, 'x')).toThrow(
      expect.objectContaining({ code: 'secrets/bad-document' }),
    ));
});

test('files are written whole, for their owner alone, and leave nothing beside them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ingot-secrets-'));
  try {
    const path = join(folder, 'out.yaml');
    writeFileSync(path, 'before', { mode: 0o644 });
    await writeSecretFile(path, 'after');
    expect(readFileSync(path, 'utf8')).toBe('after');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await expect(writeSecretFile(folder, 'x')).rejects.toThrow();
    expect(readdirSync(folder)).toEqual(['out.yaml']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
