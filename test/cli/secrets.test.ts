import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../project/source-files.ts';
import { runCli } from './run-cli.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-secrets-'));
  writeFileSync(join(folder, 'd.yaml'), 'pw: hunter2\nn: 5\nlist: [{x: deep}]\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs `ingot secrets …` with a text on standard input; `@` in arguments and text is the folder. */
async function secrets(args: readonly string[], stdin = '', env: Record<string, string> = {}) {
  const here = (text: string): string => text.replaceAll('@', folder);
  return await runCli(['secrets', ...args.map(here)], env, Readable.from([here(stdin)]));
}

describe('eval', () => {
  test('YAML and JSON, types kept, sorted', async () => {
    const input = 'z: ref+file://@/d.yaml#/n\na: [ref+file://@/d.yaml#/list/0/x, plain]\n';
    expect(await secrets(['eval', '-f', '-'], input)).toMatchObject({
      code: 0,
      stdout: 'a:\n  - deep\n  - plain\nz: 5\n',
    });
    expect((await secrets(['eval', '-o', 'json'], input)).stdout).toBe('{"a":["deep","plain"],"z":5}\n');
  });

  test('several documents, top-level lists with plain texts', async () => {
    const { stdout } = await secrets(
      ['eval', '-f', '-'],
      'a: ref+echo://x/y\n---\n- ref+echo://q/r\n- 1\n---\n',
    );
    expect(stdout).toBe('a: x/y\n---\n- q/r\n- 1\n');
  });

  test('-exclude-secret as Go writes flags', async () => {
    const { stdout } = await secrets(
      ['eval', '-exclude-secret', '-s'],
      'a: ref+echo://x/y\nb: secretref+echo://x/y\n',
    );
    expect(stdout).toBe('a: x/y\nb: secretref+echo://x/y\n');
  });

  test('a missing key fails, or is null where that is wanted', async () => {
    const input = 'a: ref+file://@/d.yaml#/none\n';
    const failed = await secrets(['eval', '-f', '-'], input);
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toContain('The secret has list, n, pw.');
    const { stdout } = await secrets(['eval', '-fail-on-missing-key-in-map=false'], input);
    expect(stdout).toBe('a: null\n');
  });

  test('Kubernetes Secrets', async () => {
    const data = Buffer.from('ref+echo://x/y').toString('base64');
    const input = `kind: Secret\ndata: {a: ${data}}\n`;
    const { stdout } = await secrets(['eval', '--decode-kubernetes-secrets', '-o', 'json'], input);
    expect(stdout).toBe(`{"data":{"a":"${Buffer.from('x/y').toString('base64')}"},"kind":"Secret"}\n`);
    expect((await secrets(['ksdecode', '-f', '-'], input)).stdout).toBe(
      'kind: Secret\nstringData:\n  a: ref+echo://x/y\n',
    );
  });

  test('--output-file is for its owner alone', async () => {
    const { code, stdout } = await secrets(['eval', '--output-file', '@/out.yaml'], 'a: ref+echo://x/y\n');
    expect([code, stdout]).toEqual([0, '']);
    expect(readFileSync(join(folder, 'out.yaml'), 'utf8')).toBe('a: x/y\n');
    expect(statSync(join(folder, 'out.yaml')).mode & 0o777).toBe(0o600);
  });
});

test.each([
  [['eval', '-f', '@/none.yaml'], 'ENOENT'],
  [['env', '-f', '@/none.yaml'], 'ENOENT'],
  [['flatten', '-f', '@'], 'EISDIR'],
  [['flatten', '-f', '@', '--dry-run'], 'EISDIR'],
])('%j says what is wrong with the file', async (args, reason) => {
  const { code, stderr } = await secrets(args);
  expect(code).toBe(1);
  expect(stderr).toContain(reason);
  expect(stderr).toContain('[secrets/unreadable]');
});

test('--dry-run lists references and reads none', async () => {
  const input = 'a: ref+file:///nonexistent/ref+envsubst://$X\nb: secretref+vault://s/p?token=abc#/k\n';
  const { code, stdout } = await secrets(['eval', '--dry-run', '-o', 'json'], input);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual([
    { kind: 'ref', backend: 'envsubst', reference: 'envsubst://$X' },
    { kind: 'ref', backend: 'file', reference: 'file:///nonexistent/ref+envsubst://$X' },
    { kind: 'secretref', backend: 'vault', reference: 'vault://s/p?token=…#/k' },
  ]);
  const { stdout: table } = await secrets(['flatten', '--dry-run'], 'x ref+echo://a/b y');
  expect(table).toMatch(/BACKEND +KIND +REFERENCE\necho +ref +echo:\/\/a\/b\n/);
});

test('flatten and get leave everything else as it is', async () => {
  const { stdout } = await secrets(['flatten'], '# ini\r\nkey = "ref+echo://a/b+"\r\n');
  expect(stdout).toBe('# ini\r\nkey = "a/b"\r\n');
  expect((await secrets(['get', 'x-ref+envsubst://$NAME-y'], '', { NAME: 'v' })).stdout).toBe('x-v-y');
});

test('objects of a Terraform state are JSON as vals has it: keys in the order of their bytes', async () => {
  const state = { version: 4, outputs: { o: { value: { b: '<', 10: 1, 9: [1.5] }, type: 'object' } } };
  writeFileSync(join(folder, 's.tfstate'), JSON.stringify(state));
  expect((await secrets(['get', 'ref+tfstate://@/s.tfstate/output.o'])).stdout).toBe(
    '{"10":1,"9":[1.5],"b":"\\u003c"}',
  );
});

test('env quotes for a shell', async () => {
  const { stdout } = await secrets(
    ['env', '-export', '-f', '-'],
    "B: ref+file://@/d.yaml#/n\nA: it's ref+echo://a/b\n",
  );
  expect(stdout).toBe(`export A='it'"'"'s a/b'\nexport B=5\n`);
});

test('an error shows no value that was fetched', async () => {
  const { code, stderr } = await secrets([
    'get',
    'ref+file://@/d.yaml#/pw ref+exec://sh?args=-c,echo%20hunter2%20%3E%262;exit%201',
  ]);
  expect(code).toBe(1);
  expect(stderr).toContain('exit code 1: <sensitive>');
  expect(stderr).not.toContain('hunter2');
});

describe('exec', () => {
  const ingot = async (...args: string[]) =>
    await promisify(execFile)(join(root, 'bin/ingot'), ['secrets', ...args], {
      env: { PATH: process.env.PATH, MINE: 'own' },
    }).catch((error: { code: number; stdout: string; stderr: string }) => error);

  test("the command has the file's variables and no others, and its exit code is kept", async () => {
    const file = join(folder, 'env.yaml');
    writeFileSync(file, `PW: ref+file://${folder}/d.yaml#/pw\nNUM: 5\n`);
    const script = 'echo "$PW $NUM <$MINE> $1"; exit 7';
    expect(await ingot('exec', '-f', file, '--', 'sh', '-c', script, 'x', '-var')).toMatchObject({
      code: 7,
      stdout: 'hunter2 5 <> -var\n',
    });
    expect(await ingot('exec', '-i', '-f', file, 'sh', '-c', script)).toMatchObject({
      code: 7,
      stdout: 'hunter2 5 <own> \n',
    });
    expect(await ingot('exec', '-stream-yaml', file, 'cat')).toMatchObject({
      stdout: 'NUM: 5\nPW: hunter2\n',
    });
    const masked = await ingot(
      'exec',
      '--mask',
      '-f',
      file,
      'sh',
      '-c',
      'echo "<$PW>"; printf "$PW" >&2; exit 3',
    );
    expect(masked).toMatchObject({ code: 3, stdout: '<<sensitive>>\n', stderr: '<sensitive>' });
    expect(await ingot('exec', 'sh', '-c', 'kill -9 $$')).toMatchObject({ code: 137 });
    expect(await ingot('exec', 'no-such-command')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('host/cannot-run') as string,
    });
  });
});
