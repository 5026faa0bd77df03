import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { importsOf } from '../project/import-rule.ts';
import { root } from '../project/source-files.ts';

let folder: string;
let agent: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-bundle-'));
  agent = join(folder, 'agent.mjs');
  execFileSync(process.execPath, [join(root, 'scripts/build-agent.mjs'), agent]);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('the boot agent is one small file with nothing of npm at run time', () => {
  expect(statSync(agent).size).toBeLessThan(1024 * 1024);
  const imports = importsOf(readFileSync(agent, 'utf8'));
  expect(imports.length).toBeGreaterThan(5);
  expect(imports.filter((name) => !builtinModules.includes(name.replace(/^node:/, '')))).toEqual([]);
});

test('it calls nothing that Node 18 does not have', () => {
  const text = readFileSync(agent, 'utf8');
  const newer =
    /\.to(?:Sorted|Reversed|Spliced)\(|AbortSignal\.any|withResolvers|\bgroupBy\(|import\.meta\.(?:dirname|filename)/;
  expect(newer.exec(text)?.[0]).toBeUndefined();
});

test('it reads references and runs, by itself', () => {
  const run = (...args: string[]): string =>
    execFileSync(process.execPath, [agent, ...args], { encoding: 'utf8' });
  expect(run('get', 'x ref+echo://a/b')).toBe('x a/b');
  expect(run('help')).toContain('first-boot');
});
