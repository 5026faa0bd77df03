import { execFile, spawn } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { build, stop } from 'esbuild';
import { afterAll, describe, expect, test } from 'vitest';
import { createHost } from '../../src/host/index.ts';

const dir = mkdtempSync(join(tmpdir(), 'ingot-process-'));
const host = createHost({ leaseDir: join(dir, 'leases') });
afterAll(() => rmSync(dir, { recursive: true }));

const sh = (script: string, options = {}) => host.run('sh', ['-c', script], options);

async function gone(pid: number): Promise<boolean> {
  for (let i = 0; i < 100; i++) {
    if (!existsSync(`/proc/${pid}`) || /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) return true;
    await delay(20);
  }
  return false;
}

describe('run', () => {
  test('the environment is clean, and the same for everyone', async () => {
    process.env.INGOT_LEAK = 'secret';
    const { stdout } = await host.run('env', [], { env: { EXTRA: 'a b' } });
    delete process.env.INGOT_LEAK;
    const names = stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('=')[0])
      // PWD is what the shell in between adds.
      .filter((name) => name !== 'PWD' && name !== 'INGOT_TEST_OWNER')
      .sort((a, b) => (a ?? '').localeCompare(b ?? '', 'en'));
    expect(names).toEqual(['EXTRA', 'HOME', 'INGOT_LEASE', 'LC_ALL', 'PATH', 'TZ']);
    expect(stdout).toContain('TZ=UTC\n');
  });

  test('arguments arrive as they are', async () => {
    const args = ['%s|', '', ' ', '$HOME', 'a\nb', '--', '*', "'"];
    const { stdout } = await host.run('printf', args);
    expect(stdout).toBe(`${args.slice(1).join('|')}|`);
  });

  test.each<[string, object, string[]]>([
    ['echo a; echo b >&2; printf c', {}, ['stdout a', 'stdout c', 'stderr b']],
    ["printf 'x\\r\\ny\\n'", {}, ['stdout x', 'stdout y']],
    // 'é' cut in two between writes
    ["printf '\\303'; sleep 0.1; printf '\\251\\n'", {}, ['stdout é']],
    ['cat', { input: 'one\ntwo' }, ['stdout one', 'stdout two']],
  ])('lines of %j', async (script, options, expected) => {
    const lines: string[] = [];
    await sh(script, {
      ...options,
      onLine: (stream: string, line: string) => lines.push(`${stream} ${line}`),
    });
    expect(lines.sort()).toEqual(expected.sort());
  });

  test.each<[string, string, object, object]>([
    ['a bad exit code', 'echo why >&2; exit 3', {}, { code: 'host/command-failed', output: ['why'] }],
    [
      'a signal',
      'kill -9 $$',
      {},
      { code: 'host/command-failed', message: expect.stringContaining('SIGKILL') },
    ],
    ['a timeout', 'echo hi; sleep 60', { timeoutMs: 3000 }, { code: 'host/timeout', output: ['hi'] }],
    ['too much output', 'printf 123456', { maxBytes: 5 }, { code: 'host/too-much-output' }],
    ['a missing working folder', 'true', { cwd: join(dir, 'none') }, { code: 'host/cannot-run' }],
  ])('%s is an error', async (_what, script, options, expected) => {
    await expect(sh(script, options)).rejects.toMatchObject(expected);
  });

  test('an input that cannot be read is an error', async () => {
    const input = createReadStream(join(dir, 'none'));
    await expect(host.run('cat', [], { input })).rejects.toMatchObject({ code: 'host/cannot-run' });
  });

  test('a command need not read all of its input', async () => {
    const input = Readable.from(Array.from({ length: 100 }, () => Buffer.alloc(65536)));
    expect((await host.run('head', ['-c', '1'], { input })).stdout).toBe('\0');
    expect(input.destroyed).toBe(true);
  });

  test('output of exactly the limit is whole', async () => {
    expect((await sh('printf 12345', { maxBytes: 5 })).stdout).toBe('12345');
  });

  test('with onLine the result is cut, and nothing is lost to the listener', async () => {
    let count = 0;
    const result = await sh('yes | head -n 100000', { maxBytes: 1000, onLine: () => count++ });
    expect(count).toBe(100_000);
    expect(result.stdout).toHaveLength(1000);
  });

  test('a missing tool names the package and the command', async () => {
    const error = await host.run('no-such-tool', []).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'host/missing-tool', hint: expect.stringContaining('ingot doctor') });
  });

  test('an abort ends the whole group, also those who ignore the polite signal', async () => {
    const stop = new AbortController();
    const pids: number[] = [];
    const run = sh("trap '' TERM; sleep 61 & echo $! $$; while :; do sleep 0.1; done", {
      signal: stop.signal,
      onLine: (_stream: string, line: string) => {
        pids.push(...line.split(' ').map(Number));
        stop.abort(new Error('enough'));
      },
    });
    await expect(run).rejects.toThrow('enough');
    expect(pids).toHaveLength(2);
    for (const pid of pids) expect(await gone(pid)).toBe(true);
  });

  test('a daemon that keeps the output open does not keep us waiting', async () => {
    const began = performance.now();
    const { stdout } = await sh('sleep 100 & echo $!');
    expect(performance.now() - began).toBeLessThan(60_000);
    process.kill(Number(stdout));
    expect(await gone(Number(stdout))).toBe(true);
  });
});

describe('when we are killed', () => {
  test('what we had started ends with us', async () => {
    const program = join(dir, 'taker.mjs');
    const entry = join(import.meta.dirname, '../fixtures/host/taker.ts');
    await build({
      entryPoints: [entry],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20.19',
    });
    // Its service would outlive the build.
    await stop();
    const child = spawn(process.execPath, [program, join(dir, 'killed')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pids = await new Promise<number[]>((done) =>
      child.stdout.once('data', (data: Buffer) => done(String(data).trim().split(' ').map(Number))),
    );
    expect(pids).toHaveLength(2);
    child.kill('SIGKILL');
    for (const pid of pids) expect(await gone(pid)).toBe(true);
  });
});

test('a started process ends when it is let go, and its lease with it', async () => {
  let pid: number;
  {
    await using running = await host.start('sleep', ['63']);
    pid = running.pid;
    const { stdout } = await promisify(execFile)('ls', [join(dir, 'leases')]);
    expect(stdout.trim().split('\n')).toHaveLength(1);
  }
  expect(await gone(pid)).toBe(true);
  const { stdout } = await promisify(execFile)('ls', [join(dir, 'leases')]);
  expect(stdout).toBe('');
});
