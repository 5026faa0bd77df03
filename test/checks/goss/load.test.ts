import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadGossFile } from '../../../src/checks/goss/load.ts';
import { parseGossFile } from '../../../src/checks/goss/parse.ts';
import { optionFlag } from '../../../src/checks/goss/resource.ts';
import { plainScalar } from '../../../src/checks/goss/yaml-value.ts';
import { DiagnosticsError } from '../../../src/core/error.ts';
import { TempFolder } from './files.ts';

const load = { vars: {}, env: {} };

function failure(path: string): DiagnosticsError {
  try {
    loadGossFile(path, load);
  } catch (error) {
    if (error instanceof DiagnosticsError) return error;
    throw error;
  }
  throw new Error('expected a DiagnosticsError');
}

describe('files that are wrong end with 78 and name the line', () => {
  test.each([
    ['bad YAML', 'file:\n  /a: {exists: [}\n', 'goss/bad-yaml', 2],
    ['a key twice', 'file:\n  /a: {exists: true}\nfile:\n  /b: {exists: true}\n', 'goss/bad-yaml', 3],
    ['a second document', 'file: {/a: {exists: true}}\n---\nuser: {}\n', 'goss/bad-yaml', 2],
    ['an unknown type', 'file:\n  /a: {exists: true}\nfille:\n  /b: {exists: true}\n', 'goss/unknown-key', 3],
    ['an unknown attribute', 'file:\n  /a:\n    exists: true\n    contens: [x]\n', 'goss/unknown-key', 4],
    ['a wrong option', 'command:\n  x:\n    exit-status: 0\n    timeout: soon\n', 'goss/bad-value', 4],
    ['no attributes', 'file:\n  /a:\n', 'goss/bad-value', 2],
    ['a list', '- a\n', 'goss/bad-value', 1],
    ['nothing', '\n', 'goss/no-tests', 1],
    ['a bad template', 'file:\n{{ nofunction }}\n', 'goss/bad-template', 2],
    ['a missing variable', 'file:\n  {{ .Vars.x }}: {exists: true}\n', 'goss/bad-template', 2],
    ['a missing file', 'gossfile:\n  other.yaml: {}\n', 'goss/no-file', 2],
    ['a circle', 'gossfile:\n  goss.yaml: {}\n', 'goss/too-deep', 2],
  ])('%s', (_, text, code, line) => {
    using folder = new TempFolder();
    const error = failure(folder.write('goss.yaml', text));
    expect(error.exitCode).toBe(78);
    expect(error.diagnostics.map((d) => [d.code, d.range?.start.line])).toContainEqual([code, line]);
  });

  test.each([
    ['{"file": {\n  "/a": {"exists": true,}}}', 2],
    ['', 1],
    ['file: {/a: {exists: true}}', 1],
  ])('what is no JSON in a file that says so: %j', (text, line) => {
    using folder = new TempFolder();
    const error = failure(folder.write('goss.json', text));
    expect(error.exitCode).toBe(78);
    expect(error.diagnostics[0]).toMatchObject({ code: 'goss/bad-yaml', range: { start: { line } } });
  });

  test('a file that is not there', () => {
    using folder = new TempFolder();
    expect(failure(`${folder.dir}/none.yaml`).diagnostics[0]?.code).toBe('goss/no-file');
  });
});

test('takes in other files by pattern; the later counts, and it is said', () => {
  using folder = new TempFolder();
  folder.write('one.yaml', 'user: {root: {exists: true, uid: 1}}');
  folder.write('two.yaml', 'user: {root: {exists: true, uid: 0}}');
  folder.write('no.yml', 'user: [');
  const path = folder.write('goss.yaml', 'gossfile:\n  "[ot]*.yaml": {}\n  "*.yml": {skip: true}\n');
  const file = loadGossFile(path, load);
  expect(file.resources.map((r) => [r.key, r.attributes.get('uid')])).toEqual([['root', 0n]]);
  expect(file.diagnostics.map((d) => d.code)).toEqual(['goss/duplicate']);
});

test.each([
  ['yes', true],
  ['On', true],
  ['"y"', true],
  ['no', false],
  ['OFF', false],
  ['null', false],
])('a flag may be one of YAML 1.1: %s', (word, expected) => {
  const { resources, diagnostics } = parseGossFile(`file: {/a: {exists: true, skip: ${word}}}`, 'goss.yaml');
  expect(diagnostics).toEqual([]);
  expect(resources.map((resource) => optionFlag(resource, 'skip'))).toEqual([expected]);
});

test('anchors may stand at the top under any name', () => {
  using folder = new TempFolder();
  const path = folder.write(
    'goss.yaml',
    'common: &common {exists: true, mode: "0644"}\nfile:\n  /a: *common\n  /b: {<<: *common, mode: "0600"}\n',
  );
  const { resources } = loadGossFile(path, load);
  expect(resources.map((r) => [r.key, r.attributes.get('exists'), r.attributes.get('mode')])).toEqual([
    ['/a', true, '0644'],
    ['/b', true, '0600'],
  ]);
});

test('JSON files have floats for numbers', () => {
  using folder = new TempFolder();
  const path = folder.write('goss.json', '{\n\t"user": {"root": {"exists": true, "uid": 0}}\n}');
  expect(loadGossFile(path, load).resources[0]?.attributes.get('uid')).toBe(0);
});

test('aliases that multiply do not take the memory', () => {
  const lines = ['a: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 12; i++)
    lines.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(', ')}]`);
  expect(parseGossFile(lines.join('\n'), 'goss.yaml').diagnostics[0]?.code).toBe('goss/bad-yaml');
});

test.each([
  ['0644', 420n],
  ['0o17', 15n],
  ['0x1F', 31n],
  ['1_000', 1000n],
  ['-5', -5n],
  ['08', 8],
  ['1.', 1],
  ['yes', 'yes'],
  ['~', null],
  ['1.2.3', '1.2.3'],
  ['99999999999999999999', 1e20],
])('the plain scalar %s', (source, value) => expect(plainScalar(source)).toEqual(value));

test('reads any text without a defect of its own', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      parseGossFile(text, 'goss.yaml');
      parseGossFile(`file:\n  ${text}`, 'goss.yaml');
    }),
  );
});
