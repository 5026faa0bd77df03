import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
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
import { describeMachine } from '../conformance/machine.ts';

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
  // What an image may have, and the builder not.
  writeFileSync(join(layer, 'fs/etc/resolv.conf'), 'nameserver 198.51.100.1\n');
  writeFileSync(join(layer, 'fs/etc/motd'), '');
  writeFileSync(join(layer, 'fs/etc/machine-id'), '');
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

describeMachine('a container', () => start());
describeMachine('a booted container', () => start({ boot: true }));

const sh = (m: Machine, script: string) => m.communicator.exec(['sh', '-c', script]);

/** Commits what the machine has written; answers the layer and everything in it but folders. */
async function commit(
  m: Machine,
  name: string,
): Promise<{ layer: Layer; files: string[]; folders: string[] }> {
  await using staged = await cache.stage(sha256(name));
  await m.snapshot?.(staged);
  const layer = await staged.commit({ kind: 'overlay', parents: [base.id], result: null });
  const find = (...what: string[]): string[] =>
    execFileSync('find', [join(layer.dir, 'fs'), '-mindepth', '1', ...what, '-printf', '%P\n'], {
      encoding: 'utf8',
    })
      .split('\n')
      .filter(Boolean)
      .sort();
  return { layer, files: find('-not', '-type', 'd'), folders: find('-type', 'd') };
}

describe('isolation', () => {
  test('root inside cannot reach devices or filesystems of the host', async () => {
    await using m = await start();
    for (const script of [
      'mknod /tmp/disk b 254 0',
      'mount -t devtmpfs none /mnt',
      'mount -t tmpfs none /mnt',
      'mount -o remount,rw /sys',
      'hostname other',
      'echo c > /proc/sysrq-trigger',
    ])
      expect((await sh(m, script)).exitCode, script).not.toBe(0);
    expect((await sh(m, 'find /dev -type b')).stdout).toBe('');
  });

  test('a command in a booted container may no more than its PID 1', async () => {
    await using m = await start({ boot: true });
    const { stdout } = await sh(
      m,
      'grep -h CapBnd /proc/1/status /proc/self/status; grep CapEff /proc/self/status',
    );
    const [leader, bounding, effective] = stdout.split('\n').map((line) => line.split('\t')[1]);
    expect(bounding).toBe(leader);
    expect(effective).toBe(leader);
    expect((await sh(m, 'mknod /tmp/disk b 254 0')).exitCode).not.toBe(0);
  });

  test('names are resolved inside; without a network nothing is reached', async () => {
    await using m = await start();
    expect((await sh(m, 'getent hosts deb.debian.org')).exitCode).toBe(0);
    await using alone = await startContainer({ base: [base], network: 'none' }, ctx);
    expect((await sh(alone, 'getent hosts deb.debian.org')).exitCode).not.toBe(0);
    expect((await sh(alone, 'ls /sys/class/net')).stdout).toBe('lo\n');
  });
});

describe('snapshot', () => {
  test('the layer holds what changed, clamped; a machine starts on it, and this one goes on', async () => {
    await using m = await start();
    await sh(m, 'echo one > /etc/one; rm /etc/motd; mkdir /new; ln -s x /new/link');
    const { layer, files } = await commit(m, 'one');
    expect(files).toEqual(['etc/motd', 'etc/one', 'new/link']);
    const fs = join(layer.dir, 'fs');
    for (const path of ['etc/one', 'new', 'new/link', ''])
      expect(lstatSync(join(fs, path)).mtimeMs, path).toBe(EPOCH * 1000);
    expect(statSync(join(fs, 'etc/motd')).isCharacterDevice()).toBe(true);
    expect((await sh(m, 'cat /etc/one')).stdout).toBe('one\n');
    expect(m.chain.map((l) => l.id)).toEqual([base.id, layer.id]);
    await sh(m, 'echo two > /etc/two');
    expect((await commit(m, 'two')).files).toEqual(['etc/two']);
    await using again = await start({ base: [base, layer] });
    expect((await sh(again, 'cat /etc/one; ls /etc/motd /etc/two')).stdout).toBe('one\n');
  });

  test('commands that change nothing leave nothing, mount points of ours included', async () => {
    const apt = join(dir, 'apt.conf');
    writeFileSync(apt, '');
    await using m = await startContainer(
      { base: [base], binds: [{ source: apt, target: '/etc/apt/apt.conf.d/00test' }] },
      ctx,
    );
    await sh(m, 'cat /etc/apt/apt.conf.d/00test; getent hosts localhost');
    await sh(m, 'true');
    const { files, folders } = await commit(m, 'nothing');
    expect(files).toEqual([]);
    expect(folders.filter((f) => !['etc', 'etc/apt', 'etc/apt/apt.conf.d'].includes(f))).toEqual([]);
  });

  test('a booted system that does nothing leaves no trace of its run', async () => {
    await using m = await start({ boot: true });
    await sh(m, 'true');
    const { files } = await commit(m, 'booted-nothing');
    // Folders and logs that tmpfiles.d of nginx makes at any start.
    expect(files.filter((f) => !f.startsWith('var/log/nginx/'))).toEqual([]);
  });

  test('the same commands give the same layer', async () => {
    const digests: string[] = [];
    for (const name of ['equal-a', 'equal-b']) {
      await using m = await start({ boot: true });
      await sh(m, 'useradd -m someone; systemctl enable nginx; echo x > /etc/x');
      const { layer } = await commit(m, name);
      digests.push(
        execFileSync(
          'sh',
          ['-c', 'tar --sort=name --numeric-owner -C "$1" -cf - . | sha256sum', 'sh', join(layer.dir, 'fs')],
          { encoding: 'utf8' },
        ),
      );
    }
    expect(digests[0]).toBe(digests[1]);
  });
});

describe('the resolver lent to commands', () => {
  const original = () => readFileSync(join(base.dir, 'fs/etc/resolv.conf'), 'utf8');

  test.each<[string, string, string[], string?]>([
    [
      'replaced by a link',
      'ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf',
      ['etc/resolv.conf'],
    ],
    ['removed', 'rm /etc/resolv.conf', ['etc/resolv.conf']],
    [
      'written',
      'echo nameserver 192.0.2.1 > /etc/resolv.conf',
      ['etc/resolv.conf'],
      'nameserver 192.0.2.1\n',
    ],
    ['left alone', 'true', []],
  ])('%s by a script', async (what, script, expected, content) => {
    await using m = await start();
    expect((await sh(m, script)).exitCode).toBe(0);
    // The next command finds names nevertheless.
    expect((await sh(m, 'getent hosts deb.debian.org')).exitCode).toBe(0);
    const { files, layer } = await commit(m, `resolver ${what}`);
    expect(files).toEqual(expected);
    const path = join(layer.dir, 'fs/etc/resolv.conf');
    if (what === 'replaced by a link')
      expect(readlinkSync(path)).toBe('../run/systemd/resolve/stub-resolv.conf');
    if (what === 'removed') expect(lstatSync(path).isCharacterDevice()).toBe(true);
    if (content !== undefined) expect(readFileSync(path, 'utf8')).toBe(content);
    expect(original()).toBe('nameserver 198.51.100.1\n');
  });
});

describe('booted', () => {
  test('services run between commands; a snapshot powers it off in order', async () => {
    await using m = await start({ boot: true });
    expect((await sh(m, 'systemctl is-system-running')).stdout).toMatch(/^(running|degraded)\n$/);
    expect((await sh(m, 'systemctl stop nginx; systemctl start nginx')).exitCode).toBe(0);
    expect((await sh(m, 'systemctl is-active nginx')).stdout).toBe('active\n');
    await sh(m, 'echo kept > /root/kept');
    await commit(m, 'booted');
    expect((await sh(m, 'cat /root/kept')).stdout).toBe('kept\n');
  });

  test('it is not the first boot of the image: units that the template disabled stay disabled', async () => {
    await using m = await start({ boot: true });
    await sh(m, 'systemctl disable --now nginx');
    const { layer } = await commit(m, 'disabled');
    await using again = await start({ boot: true, base: [base, layer] });
    expect((await sh(again, 'systemctl is-enabled nginx')).stdout).toBe('disabled\n');
    expect((await sh(again, 'cat /etc/machine-id')).stdout).toMatch(/^[0-9a-f]{32}\n$/);
    const { files } = await commit(again, 'disabled-again');
    expect(files.filter((f) => f.startsWith('etc/'))).toEqual([]);
  });

  test('a restart is told apart from a failure, and the machine comes back', async () => {
    await using m = await start({ boot: true });
    await expect(sh(m, 'systemctl reboot; sleep 60')).rejects.toMatchObject({ code: 'machine/disconnected' });
    expect((await sh(m, 'systemctl is-system-running')).exitCode).toBe(0);
    // The command may hear of the end before its own.
    const ended = sh(m, 'systemctl reboot').then(
      ({ exitCode }) => exitCode,
      (error: { code: string }) => error.code,
    );
    expect([0, 'machine/disconnected']).toContain(await ended);
    expect((await sh(m, 'systemctl is-system-running')).exitCode).toBe(0);
  });

  test('an image without systemd says so', async () => {
    const empty = { ...base, id: sha256('no-systemd'), dir: join(dir, 'no-systemd') };
    mkdirSync(empty.dir);
    execFileSync('cp', ['-a', join(base.dir, 'fs'), join(empty.dir, 'fs')]);
    rmSync(join(empty.dir, 'fs/usr/sbin/init'));
    rmSync(join(empty.dir, 'fs/usr/lib/systemd/systemd'));
    await using m = await start({ boot: true, base: [empty] });
    await expect(sh(m, 'true')).rejects.toMatchObject({ code: 'machine/boot-failed' });
  }, 60_000);
});
