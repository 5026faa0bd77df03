import { describe, expect, test } from 'vitest';
import { breaches, importsOf } from './import-rule.ts';
import { exportsPlugin } from './plugin-files.ts';
import { filesBelow, read, withoutComments } from './source-files.ts';

const isPlugin = (path: string): boolean => exportsPlugin(read(path));

test('every import in src/ keeps to the rule', () => {
  expect(filesBelow('src', '.ts').flatMap((file) => breaches(file, read(file), isPlugin))).toEqual([]);
});

describe('the rule sees', () => {
  const never = (): boolean => false;
  test.each([
    ['a wrong room', 'src/plan/a.ts', "import { x } from '../host/run.ts';"],
    ['a wrong room, for types', 'src/core/a.ts', "import type { X } from '../plan/types.ts';"],
    ['a dynamic import', 'src/reporters/a.ts', "const x = await import('../app/build.ts');"],
    ['a re-export', 'src/store/a.ts', "export * from '../template/index.ts';"],
    ['an import over lines', 'src/host/a.ts', "import {\n  a,\n  b,\n} from '../store/b.ts';"],
    ['a process outside of host', 'src/app/a.ts', "import { execa } from 'execa';"],
    ['a builtin without node:', 'src/host/a.ts', "import fs from 'fs';"],
    ['a missing extension', 'src/core/a.ts', "import { x } from './b';"],
    ['an import out of src', 'src/core/a.ts', "import { x } from '../../test/b.ts';"],
    ['an unknown room', 'src/utils/a.ts', ''],
  ])('%s', (_what, file, text) => {
    expect(breaches(file, text, never)).toHaveLength(1);
  });

  test('a plugin that imports another', () => {
    const text = "import { shell } from './shell.ts';";
    expect(breaches('src/provisioners/ansible.ts', text, () => true)).toHaveLength(1);
    expect(breaches('src/provisioners/ansible.ts', text, never)).toEqual([]);
    expect(breaches('src/provisioners/shell/a.ts', "import { b } from './b.ts';", () => true)).toEqual([]);
  });

  test('no import in comments', () => {
    expect(importsOf("// import x from 'x';\n/* import('y') */\n")).toEqual([]);
  });
});

describe('every request of ours goes by the proxies of the environment', () => {
  // The rest asks this machine: Docker's socket, what it serves itself.
  const clients = [
    'src/machines/docker/engine.ts',
    'src/secrets/http-way.ts',
    'src/store/http/fetch-through.ts',
    'src/store/http/fetch.ts',
    'src/store/http/tunnel.ts',
  ];
  const importsFetch = /^import \{ fetch \} from '[./a-z]*\/http\/fetch\.ts';$/m;

  /** Whether a file asks servers by what Node has for it. */
  function asksItself(text: string): boolean {
    const code = withoutComments(text);
    if (/^import \{[^}]*\brequest\b[^}]*\} from 'node:https?'/m.test(code)) return true;
    if (/\bglobalThis\.fetch\(|\bimport\('node:https?'\)/.test(code)) return true;
    return (
      /(?:\bawait|\breturn|=>|=)\s+fetch\(/.test(code) && !/\bfetch = /.test(code) && !importsFetch.test(code)
    );
  }

  test('by src/store/http', () => {
    const asking = filesBelow('src', '.ts').filter((file) => asksItself(read(file)));
    expect(asking.sort()).toEqual(clients);
  });

  test.each([
    ["const r = await fetch('http://a');", true],
    ["import { request } from 'node:https';", true],
    ["import { request as ask } from 'node:http';", true],
    ["import { fetch } from '../store/http/fetch.ts';\nawait fetch(url);", false],
    ["import { createServer } from 'node:http';", false],
    ['await around.fetch({ url });', false],
  ])('%s', (text, expected) => expect(asksItself(text)).toBe(expected));
});
