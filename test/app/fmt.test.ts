import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fmt, formatText } from '../../src/app/fmt.ts';
import { packageRoot } from '../../src/app/package-root.ts';
import { runCli } from '../cli/run-cli.ts';

const ugly = 'variable "suite" {\n  type=string\n    default = "bookworm"\n}\n';
const canonical = 'variable "suite" {\n  type    = string\n  default = "bookworm"\n}\n';

let folder: string;
const write = (name: string, text: string): string => {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-fmt-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('rewrites what is not in the style, keeps its mode, and leaves nothing beside it', async () => {
  const path = write('web.pkr.hcl', ugly);
  chmodSync(path, 0o640);
  write('db.pkr.hcl', canonical);
  const changed = await fmt({ path: folder, write: true });
  expect(changed.map((file) => file.path)).toEqual([path]);
  expect(readFileSync(path, 'utf8')).toBe(canonical);
  expect(statSync(path).mode & 0o777).toBe(0o640);
  expect(readdirSync(folder).sort()).toEqual(['db.pkr.hcl', 'web.pkr.hcl']);
  expect(await fmt({ path: folder, write: true })).toEqual([]);
});

test('takes templates, variables and image files; of a folder below only when asked', async () => {
  for (const name of ['a.pkr.hcl', 'b.pkrvars.hcl', 'c.ingot.hcl', 'd.hcl', 'e.pkr.json', 'sub/f.pkr.hcl']) {
    write(name, 'x=1\n');
  }
  const names = async (recursive: boolean): Promise<string[]> =>
    (await fmt({ path: folder, recursive })).map((file) => file.path.slice(folder.length + 1));
  expect(await names(false)).toEqual(['a.pkr.hcl', 'b.pkrvars.hcl', 'c.ingot.hcl']);
  expect(await names(true)).toEqual(['a.pkr.hcl', 'b.pkrvars.hcl', 'c.ingot.hcl', 'sub/f.pkr.hcl']);
});

test('a file with a syntax error is told of, and not touched', async () => {
  const broken = 'source "x" {\n  a = \n';
  const path = write('web.pkr.hcl', broken);
  await expect(fmt({ path, write: true })).rejects.toMatchObject({ name: 'DiagnosticsError' });
  expect(readFileSync(path, 'utf8')).toBe(broken);
  await expect(fmt({ path: join(folder, 'none') })).rejects.toMatchObject({ code: 'app/fmt-no-file' });
});

describe('on the command line', () => {
  test('-check writes nothing and ends with 3', async () => {
    const path = write('web.pkr.hcl', ugly);
    const { code, stdout } = await runCli(['fmt', '-check', '-diff', folder]);
    expect(code).toBe(3);
    expect(stdout).toContain(`${path}\n--- old/${path}\n`);
    expect(stdout).toContain('+  type    = string\n');
    expect(readFileSync(path, 'utf8')).toBe(ugly);
  });

  test('-write=false only names the files', async () => {
    const path = write('web.pkr.hcl', ugly);
    expect(await runCli(['fmt', '-write=false', folder])).toMatchObject({ code: 0, stdout: `${path}\n` });
    expect(readFileSync(path, 'utf8')).toBe(ugly);
  });

  test('without flags it rewrites, and then there is nothing to do', async () => {
    write('web.pkr.hcl', ugly);
    expect((await runCli(['fmt', folder])).code).toBe(0);
    expect(await runCli(['fmt', '-check', folder])).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('a syntax error is shown with its line, and ends with 1', async () => {
    write('web.pkr.hcl', 'a = \n');
    const { code, stderr } = await runCli(['fmt', folder]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/web\.pkr\.hcl:1:/);
  });
});

test("the example's files are in the style already, ours and Packer's", (ctx) => {
  const template = join(packageRoot(), 'examples/web/web.pkr.hcl');
  const text = readFileSync(template, 'utf8');
  expect(formatText(text, template)).toBe(text);
  const { error, status, stdout } = spawnSync('packer', ['fmt', '-check', template], { encoding: 'utf8' });
  if (error) ctx.skip('packer is not installed');
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
});
