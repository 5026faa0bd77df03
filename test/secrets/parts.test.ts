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
import { readYaml } from '../../src/secrets/read-yaml.ts';
import { readSopsFile } from '../../src/secrets/sops/file.ts';
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
    ['$$A } $', '$A } $'],
    ['${NO:-$A}${NO:-<${A}>}${NO:-${NO2-deep}}', 'a<a>deep'],
    ['${A:-${NO:?}}${NO+${NO2?}}', 'a'],
  ])('%s', (text, expected) => expect(substitute(text, (name) => env[name])).toBe(expected));
  test.each(['${', '${A', '${}', '${A:0:2}', '${A^^}', '${NO:-${A}'])('%s is refused', (text) =>
    expect(() => substitute(text, (name) => env[name])).toThrow(
      expect.objectContaining({ code: 'secrets/bad-reference' }),
    ),
  );
  test('no end of braces', () =>
    expect(() => substitute('${A:-'.repeat(10_000), () => undefined)).toThrow(
      expect.objectContaining({ code: 'secrets/too-deep' }),
    ));
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
    ['/*[id=2]/name', 'go-yaml'],
    ['/*[id=2.5]/name', undefined],
    ['/*[name=2]/name', undefined],
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
    const variables = environmentOf({ B: 'x y', A: "it's", C: 5, D: '', E: 'a\nb' }, 'shell');
    expect(environmentLines(variables, true)).toBe(
      `export A='it'"'"'s'\nexport B='x y'\nexport C=5\nexport D=\nexport E='a\nb'\n`,
    );
  });
  test.each([{ 'A;rm -rf /': 'x' }, { A: {} }, { A: null }, { A: 'a\0b' }, ['A'], 'A'])(
    '%j is refused',
    (document) => {
      expect(() => environmentOf(document, 'shell')).toThrow(
        expect.objectContaining({ code: 'secrets/bad-environment' }),
      );
    },
  );
});

test('a program may have variables that a shell has no name for', () => {
  expect(environmentOf({ 'spring.password': 'x', 'a-b': 1e21 }, 'system')).toEqual([
    ['a-b', '1e+21'],
    ['spring.password', 'x'],
  ]);
  expect(() => environmentOf({ 'a=b': 'x' }, 'system')).toThrow(
    expect.objectContaining({ code: 'secrets/bad-environment' }),
  );
});

describe("scalars as Go's yaml.v3 reads and writes them", () => {
  test.each([
    ['0644', 420, '420'],
    ['0o17', 15, '15'],
    ['-0x1F', -31, '-31'],
    ['0b101', 5, '5'],
    ['1_000', 1000, '1000'],
    ['08', 8, '8'],
    ['+.5', 0.5, '0.5'],
    ['1234567.5', 1234567.5, '1.2345675e+06'],
    ['0.00001', 0.00001, '1e-05'],
    ['-.inf', Number.NEGATIVE_INFINITY, '-.inf'],
    ['.nan', Number.NaN, '.nan'],
    ['1e400', '1e400', '"1e400"'],
    ['5e3210', '5e3210', '"5e3210"'],
    ['0xg', '0xg', '0xg'],
    ['1a', '1a', '1a'],
    ['2020-01-01', '2020-01-01', '"2020-01-01"'],
    ['!!binary aGVsbG8=', 'hello', 'hello'],
    ['!!binary /w==', new Uint8Array([255]), '!!binary /w=='],
    ['!!timestamp 2020-01-01', '2020-01-01', '"2020-01-01"'],
    ['!!set {a}', { a: null }, undefined],
  ])('%s', (source, value, written) => {
    expect(readYaml(`k: ${source}`, 'it')).toEqual({ k: value });
    if (written !== undefined) expect(goYaml({ k: value })).toBe(`k: ${written}\n`);
  });
  test('keys are texts as they stand there', () =>
    expect(readYaml('0x1F: a\ntrue: b\n<<: {c: d}\n', 'it')).toEqual({ '0x1F': 'a', true: 'b', c: 'd' }));
  test.each(['1: a\n"1": b', '? [a]\n: b', '? {a: b}\n: c'])('%j is refused', (text) =>
    expect(() => readYaml(text, 'it')).toThrow(expect.objectContaining({ code: 'secrets/bad-document' })),
  );
  test('of several documents the first is read, and a version changes nothing', () => {
    expect(readYaml('a: 1\n---\nb: 2\n', 'it')).toEqual({ a: 1 });
    expect(readYaml('%YAML 1.1\n---\na: yes\n', 'it')).toEqual({ a: 'yes' });
    expect(readYaml('', 'it')).toBeUndefined();
  });
  test('JSON has no infinity', () =>
    expect(() => goJson({ a: Number.POSITIVE_INFINITY })).toThrow(
      expect.objectContaining({ code: 'secrets/bad-document' }),
    ));
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

  // The first column as vals 0.46.1 writes it, but for those with a line end that YAML folds.
  test.each([
    ['x\u007f\u009f', String.raw`"x\x7F\x9F"`],
    ['\u{1f600}', String.raw`"\U0001F600"`],
    ['t \ny', String.raw`"t \ny"`],
    ['\0\u0007\b\v\f\r\u001b"\\', String.raw`"\0\a\b\v\f\r\e\"\\"`],
    ['a\u0085b', String.raw`"a\Nb"`],
    ['\ufffe', String.raw`"\uFFFE"`],
    ['a\u00a0é\u200b', 'a\u00a0é\u200b'],
    ['a\u2028b\u2029', String.raw`"a\Lb\P"`],
  ])('YAML of %j', (value, written) => expect(goYaml({ k: value })).toBe(`k: ${written}\n`));

  test('YAML of any characters reads as it was, by readers that take printable ones alone', () => {
    const printable = /^[\n\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]*$/;
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), (value) => {
        const text = goYaml(value);
        expect(text).toMatch(printable);
        expect(parse(text)).toEqual({ ...value });
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
  test('a field that both have is that of stringData, as in Kubernetes', () => {
    const secret = { kind: 'Secret', data: { a: 'eA==' }, stringData: { a: 'y' } };
    expect(decodeSecret(secret)).toEqual({ kind: 'Secret', stringData: { a: 'y' } });
    expect(decodeSecret({ kind: 'Secret', data: null })).toEqual({ kind: 'Secret', stringData: {} });
  });
  test('a map is no field', () =>
    expect(() => encodeSecret({ kind: 'Secret', stringData: { a: { b: 'c' } } })).toThrow(
      expect.objectContaining({ code: 'secrets/bad-document' }),
    ));
  test('base64 without its padding is refused, line ends in it are not', () => {
    expect(() => decodeSecret({ kind: 'Secret', data: { a: 'eA' } })).toThrow();
    expect(decodeSecret({ kind: 'Secret', data: { a: 'eA==\n' } })).toEqual({
      kind: 'Secret',
      stringData: { a: 'x' },
    });
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

describe('the text of a sops file', () => {
  const sealed = '#ENC[AES256_GCM,data:x=,iv:y,tag:z,type:comment]';
  test.each([
    ['yaml', `a: b ${sealed}\n${sealed}\nl:\n    - c\nsops: {mac: m}\n`, 'a: b\nl:\n    - c\n'],
    ['json', '{"<": "&", "sops": {"mac": "m"}}', '{\n\t"\\u003c": "\\u0026"\n}\n'],
    ['binary', '{"data": "any", "sops": {"mac": "m"}}', 'any'],
  ] as const)('%s', (format, content, text) => expect(readSopsFile(content, format).text()).toBe(text));

  test('YAML under the name of a binary file is an error, not nothing', () =>
    expect(() => readSopsFile('k: v\nsops: {mac: m}\n', 'binary').text()).toThrow(
      expect.objectContaining({ code: 'secrets/bad-document' }),
    ));
});
