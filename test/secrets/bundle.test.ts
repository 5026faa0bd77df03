import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../project/source-files.ts';

let folder: string;
let agent: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-bundle-'));
  agent = join(folder, 'agent.cjs');
  execFileSync(process.execPath, [join(root, 'scripts/build-agent.mjs'), agent]);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('the boot agent is one small file with nothing of npm at run time', () => {
  expect(statSync(agent).size).toBeLessThan(1024 * 1024);
  const imports = [...readFileSync(agent, 'utf8').matchAll(/\brequire\("([^"]+)"\)/g)].map(
    ([, name = '']) => name,
  );
  expect(imports.length).toBeGreaterThan(5);
  expect(imports.filter((name) => !builtinModules.includes(name.replace(/^node:/, '')))).toEqual([]);
});

test('it calls nothing that Node 18 does not have', () => {
  const text = readFileSync(agent, 'utf8');
  const newer =
    /\.to(?:Sorted|Reversed|Spliced)\(|AbortSignal\.any|withResolvers|\bgroupBy\(|import\.meta\.(?:dirname|filename)/;
  expect(newer.exec(text)?.[0]).toBeUndefined();
});

test('before it knows what to do it loads neither YAML nor HTTP, which take an emulated machine a second', () => {
  const preload = join(folder, 'loaded.cjs');
  const text = `const M = require('module'), load = M._load; const names = new Set();
    M._load = function (name, ...more) { names.add(name); return load.call(this, name, ...more); };
    process.on('exit', () => process.stderr.write([...names].join(' ')));`;
  writeFileSync(preload, text);
  const { stderr } = spawnSync(process.execPath, ['-r', preload, agent, 'status'], { encoding: 'utf8' });
  expect(stderr).toContain('node:fs');
  expect(stderr).not.toMatch(/node:https?\b|node:net|buffer|stream\/consumers/);
});

test('it reads references and runs, by itself', () => {
  const run = (...args: string[]): string =>
    execFileSync(process.execPath, [agent, ...args], { encoding: 'utf8' });
  expect(run('get', 'x ref+echo://a/b')).toBe('x a/b');
  expect(run('help')).toContain('first-boot');
});
