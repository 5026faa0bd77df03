import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ExecOptions, ExecResult, Machine } from '../../src/core/machine.ts';

/**
 * What every machine must do, whatever it runs on. Its image is a small Debian; `start` gives a fresh machine.
 */
export function describeMachine(name: string, start: () => Promise<Machine>): void {
  describe(`${name} is a machine`, () => {
    let dir: string;
    beforeAll(() => {
      dir = mkdtempSync(join(tmpdir(), 'ingot-machine-'));
    });
    afterAll(() => rmSync(dir, { recursive: true }));

    const sh = (m: Machine, script: string, options?: ExecOptions): Promise<ExecResult> =>
      m.communicator.exec(['sh', '-c', script], options);

    test('exec: output, exit code, environment, working folder, input', async () => {
      await using m = await start();
      const lines: string[] = [];
      const result = await sh(m, 'echo "$A $PWD"; cat; echo oops >&2; exit 7', {
        env: { A: "b 'c'" },
        cwd: '/tmp',
        input: 'typed\n',
        onLine: (stream, line) => lines.push(`${stream}: ${line}`),
      });
      expect(result).toEqual({ exitCode: 7, stdout: "b 'c' /tmp\ntyped\n", stderr: 'oops\n' });
      expect(lines.sort()).toEqual(['stderr: oops', "stdout: b 'c' /tmp", 'stdout: typed']);
    });

    test.each<[string, string[], number]>([
      ['of the command', ['sh', '-c', 'exit 255'], 255],
      ['of a missing command', ['no-such-command'], 127],
      ['of a signal', ['sh', '-c', 'kill -9 $$'], 137],
    ])('exit code %s', async (_what, argv, exitCode) => {
      await using m = await start();
      expect((await m.communicator.exec(argv)).exitCode).toBe(exitCode);
    });

    test('arguments arrive as they are', async () => {
      await using m = await start();
      const args = ['', 'a b', '$HOME', "'", '"', '\\', 'x\ny', '--', '*'];
      const { stdout } = await m.communicator.exec(['printf', '%s|', ...args]);
      expect(stdout).toBe(`${args.join('|')}|`);
    });

    test('nothing of the builder shows: environment, umask, host name, time of day', async () => {
      await using m = await start();
      process.env.INGOT_CONTAINER_SECRET = 'leak';
      const { stdout } = await sh(m, 'env; id -u; umask; date +%Z');
      delete process.env.INGOT_CONTAINER_SECRET;
      expect(stdout).not.toContain('leak');
      expect(stdout).toMatch(/^SOURCE_DATE_EPOCH=\d+$/m);
      expect(stdout).toContain('\n0\n0022\nUTC\n');
    });

    test('a user of the image, with a home of its own', async () => {
      await using m = await start();
      expect((await sh(m, 'useradd --create-home --uid 1234 builder')).exitCode).toBe(0);
      const { stdout } = await sh(m, 'id -un; id -u; id -g; echo $HOME $USER; id -G', { user: 'builder' });
      expect(stdout).toBe('builder\n1234\n1234\n/home/builder builder\n1234\n');
      await expect(sh(m, 'true', { user: 'nobody-here' })).rejects.toMatchObject({
        code: 'machine/no-such-user',
      });
    });

    test('big output: every line is heard, and a part is kept', async () => {
      await using m = await start();
      let count = 0;
      const { stdout } = await sh(m, 'seq 1 400000', { onLine: () => count++ });
      expect(count).toBe(400_000);
      expect(stdout.length).toBe(1024 * 1024);
    });

    test('a timeout and an abort end everything that the command had started', async () => {
      await using m = await start();
      // Tests of other machines sleep beside this one.
      const long = (seconds: number): string => `sleep ${seconds}.${process.pid}`;
      await expect(m.communicator.exec(long(1001).split(' '), { timeoutMs: 500 })).rejects.toMatchObject({
        code: 'host/timeout',
      });
      const stop = new AbortController();
      const run = sh(m, `${long(1002)} & setsid ${long(1003)} & echo up; ${long(1004)}`, {
        signal: stop.signal,
        onLine: () => stop.abort(new Error('stopped')),
      });
      await expect(run).rejects.toThrow('stopped');
      await m[Symbol.asyncDispose]();
      const left = execFileSync('ps', ['ax', '-o', 'args='], { encoding: 'utf8' });
      expect(
        left.split('\n').filter((l) => /^sleep 100[1-4]\./.test(l) && l.endsWith(`.${process.pid}`)),
      ).toEqual([]);
    });

    test('upload and download of binary data', async () => {
      await using m = await start();
      const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) % 256));
      await m.communicator.uploadBytes(bytes, '/root/data', { mode: 0o4640, uid: 33, gid: 33 });
      expect((await sh(m, 'stat -c %a:%u:%g:%s /root/data')).stdout).toBe('4640:33:33:300000\n');
      await m.communicator.download('/root/data', join(dir, 'down/data'));
      expect(readFileSync(join(dir, 'down/data')).equals(bytes)).toBe(true);
      writeFileSync(join(dir, 'tool'), 'x', { mode: 0o755 });
      await m.communicator.upload(join(dir, 'tool'), '/root/tool');
      expect((await sh(m, 'stat -c %a:%u /root/tool; cat /root/tool')).stdout).toBe('755:0\nx');
      await m.communicator.uploadBytes('', '/root/tool');
      expect((await sh(m, 'stat -c %s /root/tool')).stdout).toBe('0\n');
    });

    test('folders with and without a trailing slash, links, exclusions', async () => {
      await using m = await start();
      const site = join(dir, 'site');
      mkdirSync(join(site, 'sub/.git'), { recursive: true });
      writeFileSync(join(site, 'sub/page'), 'hello');
      writeFileSync(join(site, 'sub/.git/HEAD'), '');
      symlinkSync('sub/page', join(site, 'index'));
      await m.communicator.uploadDirectory(site, '/opt');
      await m.communicator.uploadDirectory(`${site}/`, '/srv/www', ['.git']);
      const { stdout } = await sh(m, 'cd /; find opt/site srv/www -not -type d | sort; cat srv/www/index');
      expect(stdout.split('\n')).toEqual([
        'opt/site/index',
        'opt/site/sub/.git/HEAD',
        'opt/site/sub/page',
        'srv/www/index',
        'srv/www/sub/page',
        'hello',
      ]);
      await m.communicator.downloadDirectory('/srv/www', join(dir, 'back'));
      await m.communicator.downloadDirectory('/srv/www/', join(dir, 'flat'));
      expect(readFileSync(join(dir, 'back/www/sub/page'), 'utf8')).toBe('hello');
      expect(readFileSync(join(dir, 'flat/sub/page'), 'utf8')).toBe('hello');
    });

    test.each<[string, (m: Machine, to: string) => Promise<unknown>, string]>([
      ['upload from nowhere', (m) => m.communicator.upload('/no/such', '/root/x'), 'machine/no-such-source'],
      ['upload of a device', (m) => m.communicator.upload('/dev/null', '/root/x'), 'machine/special-file'],
      [
        'upload into a missing folder',
        (m) => m.communicator.uploadBytes('x', '/no/such/x'),
        'machine/transfer-failed',
      ],
      ['download of nothing', (m, to) => m.communicator.download('/no/such', to), 'machine/no-such-file'],
      ['download of a device', (m, to) => m.communicator.download('/dev/null', to), 'machine/no-such-file'],
      [
        'download of no folder',
        (m, to) => m.communicator.downloadDirectory('/no/such/', to),
        'machine/no-such-file',
      ],
    ])('%s is refused', async (_what, transfer, code) => {
      await using m = await start();
      const target = join(dir, 'refused');
      await expect(transfer(m, target)).rejects.toMatchObject({ code });
      expect(existsSync(target)).toBe(false);
    });

    test("links of the image lead to none of the builder's files", async () => {
      await using m = await start();
      const outside = join(dir, 'outside');
      mkdirSync(outside);
      writeFileSync(join(outside, 'secret'), 'host');
      await sh(
        m,
        `ln -s ${outside}/secret /root/link; ln -s ${outside} /root/folder; ln -s ../../../../../../../..${outside} /root/up`,
      );
      const before = statSync(outside).mtimeMs;
      for (const path of ['/root/link', '/root/folder/new', '/root/up/new'])
        await m.communicator.uploadBytes('guest', path).catch(() => {});
      await m.communicator.uploadDirectory(dir, '/root/folder').catch(() => {});
      expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('host');
      expect(statSync(outside).mtimeMs).toBe(before);
      for (const path of ['/root/link', '/root/folder/secret', '/root/up/secret']) {
        await expect(m.communicator.download(path, join(dir, 'stolen'))).rejects.toMatchObject({
          code: 'machine/no-such-file',
        });
      }
      expect(existsSync(join(dir, 'stolen'))).toBe(false);
    });

    test('one command finds what another has left, in /tmp too', async () => {
      await using m = await start();
      await sh(m, 'echo 1 > /tmp/a; echo 2 > /var/tmp/b; echo 3 > /root/c');
      expect((await sh(m, 'cat /tmp/a /var/tmp/b /root/c')).stdout).toBe('1\n2\n3\n');
    });
  });
}
