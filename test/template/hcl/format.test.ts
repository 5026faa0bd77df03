import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatHcl, parseHcl } from '../../../src/template/index.ts';
import { tokenize } from '../../../src/template/hcl/lexer.ts';

const messy = readFileSync(new URL('../../fixtures/template/messy.pkr.hcl', import.meta.url), 'utf8');
const canonical = readFileSync(new URL('../../fixtures/template/canonical.pkr.hcl', import.meta.url), 'utf8');

test('canonical style', () => {
  expect(formatHcl(messy)).toBe(canonical);
  expect(formatHcl(canonical)).toBe(canonical);
});

test.each([
  ['a = ! b\n', 'a = !b\n'],
  ['x = ns::f( 1 )\n', 'x = ns::f(1)\n'],
  ['', ''],
  ['a=1', 'a = 1'],
  ['\n\n\na = 1\n\n', '\n\n\na = 1\n\n'],
])('%j', (text, expected) => expect(formatHcl(text)).toBe(expected));

const root = process.env.INGOT_CONFORMANCE ?? join(import.meta.dirname, '../../../../shared/conformance');
const fixtures = join(root, 'packer/fixtures');
const packer = spawnSync('packer', ['version'], { encoding: 'utf8' });

describe.skipIf(packer.status !== 0)('Debian’s packer fmt agrees', () => {
  const inFolder = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.pkr(vars)?\.hcl$/.test(name))
      .sort();
  const formatAll = (folder: string): void => {
    for (const below of new Set(inFolder(folder).map((name) => join(folder, name, '..')))) {
      spawnSync('packer', ['fmt', below], { encoding: 'utf8' });
    }
  };

  test('on what is messy', () => {
    const dir = mkdtempSync(join(tmpdir(), 'ingot-format-'));
    try {
      writeFileSync(join(dir, 'x.pkr.hcl'), messy);
      formatAll(dir);
      expect(readFileSync(join(dir, 'x.pkr.hcl'), 'utf8')).toBe(canonical);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test.skipIf(!existsSync(fixtures))('on every fixture of the conformance suite', () => {
    const dir = mkdtempSync(join(tmpdir(), 'ingot-format-'));
    try {
      cpSync(fixtures, dir, { recursive: true });
      const texts = inFolder(dir).map((name) => [name, readFileSync(join(dir, name), 'utf8')] as const);
      formatAll(dir);
      expect(texts.length).toBeGreaterThan(50);
      for (const [name, text] of texts)
        expect([name, formatHcl(text)]).toEqual([name, readFileSync(join(dir, name), 'utf8')]);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

/** Texts that parse, or nearly. */
const lines = fc
  .array(
    fc.constantFrom(
      'a=1',
      '  bb  =  "x${ y }z" # c',
      'c = [',
      '1,2',
      ']',
      'blk "l" {',
      '}',
      'd={a=1,b=2}',
      '# comment',
      '/* multi\n  line */',
      'e = f( 1,2... )',
      '',
      'é="ü"//x',
      'h = <<EOT\n  t ${ q }\nEOT',
      'h2 = <<-EOT\n  t\n  EOT',
      'g = ! a && - b',
      'i = a . b [ 0 ]',
      'j = {for k,v in m:k=>v if v}',
      'one { x=1 }',
      '\tt\t=\t1 ',
    ),
    { maxLength: 25 },
  )
  .map((parts) => `${parts.join('\n')}\n`);

/** Kinds and texts of tokens, what the blanks are left out. */
function meaning(text: string): string[] {
  return tokenize(text, 'x').tokens.map((t) => `${t.kind} ${t.text}`);
}

test('formatting twice equals once, and changes no token', () => {
  fc.assert(
    fc.property(lines, (text) => {
      fc.pre(parseHcl(text, 'x').diagnostics.length === 0);
      const once = formatHcl(text);
      expect(formatHcl(once)).toBe(once);
      expect(meaning(once)).toEqual(meaning(text));
    }),
    { numRuns: 2000 },
  );
});
