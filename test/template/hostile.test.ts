import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { renderDiagnostics } from '../../src/core/render-diagnostic.ts';
import { formatHcl, loadTemplate, toJson } from '../../src/template/index.ts';
import { run } from './evaluate-text.ts';
import { cpuTime } from '../cpu-time.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function folderOf(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'ingot-hostile-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

const chain = (first: string, next: (before: string) => string, length: number): string =>
  `locals {\n  a0 = ${first}\n${Array.from({ length }, (_, i) => `  a${i + 1} = ${next(`local.a${i}`)}\n`).join('')}}\n`;

/** Templates that would take all memory or time, and what is said about them. */
const BOMBS: readonly (readonly [string, string, RegExp])[] = [
  ['texts that double', chain('"x"', (a) => `"\${${a}}\${${a}}"`, 60), /parts; at most 1000000/],
  ['lists that double', chain('[1]', (a) => `concat(${a}, ${a})`, 60), /parts; at most 1000000/],
  ['lists in lists', chain('["x"]', (a) => `[${a}, ${a}, ${a}]`, 60), /parts; at most 1000000/],
  ['objects in objects', chain('{ a = 1 }', (a) => `{ a = ${a}, b = ${a} }`, 60), /parts; at most 1000000/],
  [
    'loops in loops',
    'locals {\n  a = [for a in range(1000) : [for b in range(1000) : [for c in range(1000) : a]]]\n}\n',
    /parts; at most|more than 4000000 values/,
  ],
  [
    'loops in texts',
    'locals {\n  a = "%{ for a in range(1000) }%{ for b in range(1000) }%{ for c in range(1000) }xxxx%{ endfor }%{ endfor }%{ endfor }"\n}\n',
    /parts; at most|more than 4000000 values/,
  ],
  [
    'many large texts',
    'locals {\n  b = [for i in range(1000) : format("%9999s", i)]\n  c = [for i in range(1000) : join("", local.b)]\n}\n',
    /more than 4000000 values/,
  ],
  [
    'a replacement of nothing',
    'locals {\n  a = join("", [for i in range(1000) : format("%9999s", i)])\n  b = replace(local.a, "", local.a)\n}\n',
    /replace: the result could be too large/,
  ],
  [
    'a replacement by a pattern',
    'locals {\n  a = join("", [for i in range(100) : format("%9999s", i)])\n  b = regex_replace(local.a, " ", local.a)\n}\n',
    /regex_replace: the result is too large/,
  ],
  ['locals that need each other', chain('local.a3000', (a) => a, 3000), /^local\.a0 needs itself: .*…/],
  ['powers', 'locals {\n  a = pow(9, pow(9, 9))\n}\n', /no finite number/],
  [
    'YAML aliases',
    `locals {\n  a = yamldecode(${JSON.stringify(yamlBomb())})\n}\n`,
    /more than 1000000 values/,
  ],
  ['a pattern', `locals {\n  a = regex("^(((a+)+)+)+$", "${'a'.repeat(5000)}!")\n}\n`, /does not match/],
  ['a pattern that repeats', 'locals {\n  a = regex("((((a{999}){999}){999}){999})", "a")\n}\n', /regex: /],
];

function yamlBomb(): string {
  const line = (name: string, of: string): string => `${name}: &${name} [${Array(10).fill(of).join(', ')}]`;
  return [line('a', 'x'), ...'bcdefgh'.split('').map((n, i) => line(n, `*${'abcdefgh'[i]}`))].join('\n');
}

describe('bombs end with a clear error', () => {
  test.each(BOMBS)('%s', async (_, text, message) => {
    const taken = cpuTime();
    const { diagnostics, sources } = await loadTemplate({ path: folderOf({ 'a.pkr.hcl': text }) });
    // The slowest takes 5 s, and 15 on a machine whose processors others use, too; without an end it would be hours.
    expect(taken()).toBeLessThan(40_000);
    expect(diagnostics.length).toBeGreaterThan(0);
    expect(diagnostics.length).toBeLessThan(10);
    expect(diagnostics[0]?.message).toMatch(message);
    expect(diagnostics[0]?.range?.file).toBe('a.pkr.hcl');
    expect(renderDiagnostics(diagnostics, sources, { color: false })).toMatch(/-->.*\n.*\|/);
  });
});

describe('files', () => {
  test('a megabyte of random bytes', async () => {
    const { diagnostics } = await loadTemplate({ path: folderOf({ 'a.pkr.hcl': randomBytes(1024 * 1024) }) });
    expect(diagnostics.map((d) => d.code)).toEqual(['template/not-utf8']);
  });

  test.each(['a.pkr.hcl', 'a.pkr.json', 'a.json'])('a megabyte of printable noise as %s', async (name) => {
    const noise = Buffer.from(randomBytes(1024 * 1024).map((byte) => 32 + (byte % 95)));
    const dir = folderOf({ [name]: noise });
    const { diagnostics } = await loadTemplate({ path: join(dir, name) });
    expect(diagnostics[0]?.code).toMatch(/^template\//);
    expect(diagnostics[0]?.range?.file).toBe(name);
  });

  test('a file of variables with 100 MB', async () => {
    const dir = folderOf({ 'a.pkr.hcl': 'variable "x" {\n  default = 1\n}\n', 'big.pkrvars.hcl': 'x = 1\n' });
    truncateSync(join(dir, 'big.pkrvars.hcl'), 100 * 1024 * 1024);
    const before = process.memoryUsage().rss;
    const { diagnostics } = await loadTemplate({ path: dir, varFiles: [join(dir, 'big.pkrvars.hcl')] });
    expect(diagnostics.map((d) => d.code)).toEqual(['template/too-large']);
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
  });

  test('a device without end', async () => {
    const { diagnostics } = await loadTemplate({
      path: folderOf({ 'a.pkr.hcl': 'locals {\n  a = file("/dev/zero")\n}\n' }),
      varFiles: ['/dev/zero'],
    });
    expect(diagnostics.map((d) => d.code).sort()).toEqual(['template/function-failed', 'template/too-large']);
  });

  test('a folder named as a template', async () => {
    const dir = folderOf({});
    mkdirSync(join(dir, 'a.pkr.hcl'));
    const { diagnostics } = await loadTemplate({ path: dir });
    expect(diagnostics.map((d) => d.code)).toEqual(['template/unreadable']);
  });
});

describe('names of prototypes are names like others', () => {
  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype'])('%s', async (name) => {
    const text = `
variable "${name}" {
  default = { ${name} = "v" }
}
locals {
  ${name} = var.${name}.${name}
  all     = merge({ ${name} = 1 }, jsondecode("{\\"${name}\\": 2}"), yamldecode("${name}: 3"))
  list    = [for k, v in { ${name} = "x" } : k]
  zip     = zipmap(["${name}"], ["z"])["${name}"]
  missing = try({}.${name}, "none")
  looked  = lookup({}, "${name}", "none")
}
source "null" "${name}" {}
build {
  name    = "${name}"
  sources = ["null.${name}"]
  provisioner "shell" {
    override = { ${name} = { inline = [] } }
  }
}
`;
    const dir = folderOf({ 'a.pkr.hcl': text });
    const { template, diagnostics } = await loadTemplate({ path: dir, vars: [`${name}={ ${name} = "w" }`] });
    expect(diagnostics).toEqual([]);
    const values = Object.fromEntries(template.locals.map((l) => [`${l.name}!`, toJson(l.value)]));
    expect(values[`${name}!`]).toBe('w');
    expect(Object.entries(values['all!'] as object)).toEqual([[name, 3]]);
    expect([values['list!'], values['zip!'], values['missing!'], values['looked!']]).toEqual([
      [name],
      'z',
      'none',
      'none',
    ]);
    expect(template.builds[0]?.sources[0]?.name).toBe(name);
    expect(({} as Record<string, unknown>).v).toBeUndefined();
  });

  test('in legacy JSON', async () => {
    const text =
      '{"variables": {"__proto__": "p", "constructor": "c"}, "builders": [{"type": "null", "__proto__": {"x": 1}, "name": "{{user `__proto__`}}"}]}';
    const { template } = await loadTemplate({ path: join(folderOf({ 't.json': text }), 't.json') });
    expect(Object.entries(toJson(template.values) as object)).toEqual([
      ['__proto__', 'p'],
      ['constructor', 'c'],
    ]);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });
});

/** Expressions of all kinds, most of them wrong in some way. */
const expression = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom(
      '1',
      '-0.5',
      'null',
      'true',
      '"a"',
      '"${1}"',
      '[]',
      '{}',
      'x',
      '1e999',
      '"\\u0000"',
      '[1, "a"]',
    ),
    fc
      .tuple(tie('any'), fc.constantFrom('+', '-', '*', '/', '%', '==', '<', '&&', '||'), tie('any'))
      .map((t) => t.join(' ')),
    fc.tuple(tie('any'), tie('any'), tie('any')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    fc.array(tie('any'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc.tuple(tie('any'), tie('any')).map(([a, b]) => `{ (${a}) = ${b} }`),
    fc.tuple(tie('any'), tie('any')).map(([a, b]) => `[for k, v in ${a} : ${b}]`),
    fc.tuple(tie('any'), tie('any')).map(([a, b]) => `(${a})[${b}]`),
    tie('any').map((a) => `(${a})[*].b`),
    tie('any').map((a) => `"<\${${a}}>%{ if ${a} }y%{ else }n%{ endif }"`),
    fc
      .tuple(
        fc.constantFrom(
          ...'concat merge format join jsonencode jsondecode yamlencode yamldecode length flatten lookup element slice sort try can substr replace regex setproduct zipmap coalesce cidrsubnet formatdate pow log parseint'.split(
            ' ',
          ),
        ),
        fc.array(tie('any'), { maxLength: 3 }),
      )
      .map(([name, args]) => `${name}(${args.join(', ')})`),
  ),
})).any;

describe('the evaluator', () => {
  test('answers or reports, and never throws', () => {
    fc.assert(
      fc.property(expression, (text) => {
        const { value, diagnostics } = run(text);
        expect(value === undefined && diagnostics.length === 0).toBe(false);
        for (const { code, message } of diagnostics) {
          expect(code).toMatch(/^template\//);
          expect(message).not.toBe('');
        }
      }),
      { numRuns: 1500 },
    );
  });

  test('formatting changes no value', () => {
    fc.assert(
      fc.property(expression, (text) => {
        const formatted = formatHcl(`a=${text}\n`);
        expect(formatHcl(formatted)).toBe(formatted);
        const again = run(formatted.replace(/^a *= */, '').trimEnd());
        const first = run(text);
        expect(again.errors.length > 0).toBe(first.errors.length > 0);
        if (first.errors.length === 0) expect(toJson(again.value)).toEqual(toJson(first.value));
      }),
      { numRuns: 500 },
    );
  });
});
