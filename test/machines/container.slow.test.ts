import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { Context } from '../../src/core/context.ts';
import { sha256 } from '../../src/core/digest.ts';
import type { Layer } from '../../src/core/layer.ts';
import type { Machine } from '../../src/core/machine.ts';
import { createHost } from '../../src/host/index.ts';
import { startContainer } from '../../src/machines/container.ts';
import { type DiskLayerCache, openLayerCache } from '../../src/store/layer-cache.ts';

const EPOCH = 1_700_000_000;
let dir: string;
let base: Layer;
let cache: DiskLayerCache;
let ctx: Context;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-container-'));
  const layer = join(dir, 'base');
  mkdirSync(layer);
  const given = process.env.INGOT_TEST_BASE;
  if (given) execFileSync('cp', ['-a', given, join(layer, 'fs')]);
  else
    execFileSync('mmdebstrap', [
      '--quiet',
      '--variant=minbase',
      '--include=systemd-sysv,nginx-light',
      'bookworm',
      join(layer, 'fs'),
    ]);
  base = {
    id: sha256('base'),
    kind: 'overlay',
    parents: [],
    blobs: [],
    localOnly: false,
    result: null,
    dir: layer,
  };
  const host = createHost({ leaseDir: join(dir, 'leases') });
  cache = await openLayerCache({ dir: join(dir, 'cache'), host });
  mkdirSync(join(dir, 'work'));
  ctx = {
    signal: new AbortController().signal,
    emit: () => {},
    step: 'test',
    host,
    clock: systemClock,
    secrets: { resolve: async () => '' },
    workDir: join(dir, 'cache/tmp'),
    cacheDir: join(dir, 'cache'),
    epoch: EPOCH,
    templateDir: dir,
  };
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const start = (options: { boot?: boolean; base?: Layer[] } = {}): Promise<Machine> =>
  startContainer({ base: options.base ?? [base], ...(options.boot && { boot: true }) }, ctx);

describe('container', () => {
  test('exec: output, exit code, environment, working folder', async () => {
    await using m = await start();
    const lines: string[] = [];
    const result = await m.communicator.exec(['sh', '-c', 'echo "$A $PWD"; echo oops >&2; exit 7'], {
      env: { A: 'b c' },
      cwd: '/tmp',
      onLine: (stream, line) => lines.push(`${stream}: ${line}`),
    });
    expect(result).toMatchObject({ exitCode: 7, stdout: 'b c /tmp\n', stderr: 'oops\n' });
    expect(lines.sort()).toEqual(['stderr: oops', 'stdout: b c /tmp']);
    expect((await m.communicator.exec(['no-such-command'])).exitCode).toBe(127);
  });

  test('the builder does not show: clean environment, host name, time of the lock', async () => {
    await using m = await start();
    process.env.INGOT_CONTAINER_SECRET = 'leak';
    const { stdout } = await m.communicator.exec(['sh', '-c', 'env; hostname; id -u; umask']);
    expect(stdout).not.toContain('leak');
    expect(stdout).toContain(`SOURCE_DATE_EPOCH=${EPOCH}`);
    expect(stdout).toContain('\nlocalhost\n0\n0022\n');
  });

  test('names are resolved inside', async () => {
    await using m = await start();
    const { exitCode } = await m.communicator.exec(['getent', 'hosts', 'deb.debian.org']);
    expect(exitCode).toBe(0);
  });

  test('upload and download of binary data, folders with and without slash', async () => {
    await using m = await start();
    const bytes = Buffer.from(Array.from({ length: 4096 }, (_, i) => i % 256));
    await m.communicator.uploadBytes(bytes, '/root/data', { mode: 0o640 });
    await m.communicator.download('/root/data', join(dir, 'data'));
    expect(readFileSync(join(dir, 'data')).equals(bytes)).toBe(true);
    mkdirSync(join(dir, 'site/sub'), { recursive: true });
    writeFileSync(join(dir, 'site/sub/page'), 'hello');
    await m.communicator.uploadDirectory(join(dir, 'site'), '/opt');
    await m.communicator.uploadDirectory(`${join(dir, 'site')}/`, '/srv/www');
    const { stdout } = await m.communicator.exec([
      'sh',
      '-c',
      'cat /opt/site/sub/page /srv/www/sub/page; stat -c %a:%u:%Y /root/data /srv/www/sub/page',
    ]);
    expect(stdout).toMatch(/^hellohello640:0:\d+\n\d+:0:1700000000\n$/);
    await m.communicator.downloadDirectory('/srv/www', join(dir, 'back'));
    expect(readFileSync(join(dir, 'back/www/sub/page'), 'utf8')).toBe('hello');
  });

  test('a link of the image leads to no file of the host', async () => {
    await using m = await start();
    const outside = join(dir, 'outside');
    writeFileSync(outside, 'host');
    await m.communicator.exec(['ln', '-s', outside, '/root/link']);
    await m.communicator.uploadBytes('guest', '/root/link').catch(() => {});
    expect(readFileSync(outside, 'utf8')).toBe('host');
    await expect(m.communicator.download('/root/link', join(dir, 'x'))).rejects.toMatchObject({
      code: 'machine/no-such-file',
    });
  });

  test('snapshot: the layer holds what changed, clamped, and nothing of ours; a machine starts on it', async () => {
    await using m = await start();
    await m.communicator.exec([
      'sh',
      '-c',
      'rm -f /etc/resolv.conf; echo one > /etc/one; rm /etc/motd; mkdir /new',
    ]);
    let layer: Layer;
    {
      await using staged = await cache.stage(sha256('one'));
      await m.snapshot?.(staged);
      layer = await staged.commit({ kind: 'overlay', parents: [base.id], result: null });
    }
    const fs = join(layer.dir, 'fs');
    expect(statSync(join(fs, 'etc/one')).mtimeMs).toBe(EPOCH * 1000);
    expect(statSync(join(fs, 'new')).mtimeMs).toBe(EPOCH * 1000);
    expect(statSync(join(fs, 'etc/motd')).isCharacterDevice()).toBe(true);
    expect(existsSync(join(fs, 'etc/machine-id'))).toBe(false);
    const { stdout } = await m.communicator.exec(['cat', '/etc/one']);
    expect(stdout).toBe('one\n');
    await using again = await start({ base: [base, layer] });
    expect((await again.communicator.exec(['sh', '-c', 'cat /etc/one; ls /etc/motd'])).stdout).toBe('one\n');
    expect(m.chain.map((l) => l.id)).toEqual([base.id, layer.id]);
  });

  test('a command that does nothing leaves no residue', async () => {
    await using m = await start();
    await m.communicator.exec(['true']);
    await using staged = await cache.stage(sha256('nothing'));
    await m.snapshot?.(staged);
    const found = execFileSync('find', [join(staged.dir, 'fs'), '-mindepth', '1', '-not', '-type', 'd'], {
      encoding: 'utf8',
    });
    expect(found).toBe('');
  });

  test('a timeout and an abort end everything inside', async () => {
    await using m = await start();
    await expect(m.communicator.exec(['sleep', '100'], { timeoutMs: 500 })).rejects.toMatchObject({
      code: 'host/timeout',
    });
    const stop = new AbortController();
    const run = m.communicator.exec(['sh', '-c', 'sleep 101 & sleep 102'], { signal: stop.signal });
    setTimeout(() => stop.abort(new Error('stopped')), 300);
    await expect(run).rejects.toThrow('stopped');
    const left = execFileSync('sh', ['-c', 'ps ax -o args | grep -c "^sleep 10[012]" || true'], {
      encoding: 'utf8',
    });
    expect(left.trim()).toBe('0');
  });

  test('booted: systemctl works, services run between commands, a snapshot powers it off in order', async () => {
    await using m = await start({ boot: true });
    const state = await m.communicator.exec(['systemctl', 'is-system-running']);
    expect(['running\n', 'degraded\n']).toContain(state.stdout);
    expect((await m.communicator.exec(['systemctl', 'start', 'nginx'])).exitCode).toBe(0);
    expect((await m.communicator.exec(['systemctl', 'is-active', 'nginx'])).stdout).toBe('active\n');
    await m.communicator.exec(['sh', '-c', 'echo kept > /root/kept']);
    {
      await using staged = await cache.stage(sha256('booted'));
      await m.snapshot?.(staged);
      await staged.commit({ kind: 'overlay', parents: [base.id], result: null });
    }
    expect(
      (await m.communicator.exec(['sh', '-c', 'cat /root/kept; systemctl is-active nginx'])).stdout,
    ).toContain('kept\n');
  });
});
