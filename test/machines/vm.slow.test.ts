import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { Context } from '../../src/core/context.ts';
import { sha256 } from '../../src/core/digest.ts';
import type { Layer } from '../../src/core/layer.ts';
import type { Machine } from '../../src/core/machine.ts';
import { createHost } from '../../src/host/index.ts';
import { memoryFor } from '../../src/machines/vm/memory.ts';
import { createVm, type Vm, type VmOptions } from '../../src/machines/vm.ts';
import { type DiskLayerCache, openLayerCache } from '../../src/store/layer-cache.ts';
import { describeMachine } from '../conformance/machine.ts';
import { describePlaybooks } from '../provisioners/ansible/in-a-vm.ts';
import { vmBase } from './vm-base.ts';
import { describeFaults, type Resume } from './vm/faults.ts';

const GIB = 1024 ** 3;
/** The processor of the source `qemu`: a system boots on it with four fifths of the emulation of a newer one. */
const HARDWARE = { memory: GIB, emulatedCpu: 'qemu64' };
const SSH = {
  username: 'root',
  timeoutMs: 300_000,
  handshakeAttempts: 10,
  keepAliveMs: 2000,
  pauseMs: 0,
  pty: false,
  forwardAgent: false,
};
let dir: string;
let ctx: Context;
let cache: DiskLayerCache;
let image: string;
let vm: Vm;
/** Layers of a machine that has booted before, which takes less time. */
let booted: Layer[] = [];
const notes: string[] = [];

const make = (base: Layer[], memory?: Layer, own: Partial<VmOptions> = {}, of = ctx): Promise<Vm> =>
  createVm(
    {
      base,
      ...(memory && { memory }),
      ...(base.length === 0 && { image: { path: image, format: 'qcow2' as const } }),
      diskSize: 4 * GIB,
      hardware: HARDWARE,
      ssh: SSH,
      guestPort: 22,
      seedUser: 'root',
      shutdownTimeoutMs: 120_000,
      ...own,
    },
    of,
  );

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-vm-'));
  image = vmBase(dir);
  const host = createHost({ leaseDir: join(dir, 'leases') });
  cache = await openLayerCache({ dir: join(dir, 'cache'), host });
  mkdirSync(join(dir, 'cache/work'), { recursive: true });
  ctx = {
    signal: new AbortController().signal,
    emit: (event) => {
      if (event.type === 'step:log') notes.push(event.line);
    },
    step: 'test',
    host,
    clock: systemClock,
    secrets: { resolve: async () => '' },
    workDir: join(dir, 'cache/work'),
    cacheDir: join(dir, 'cache'),
    epoch: 1_700_000_000,
    templateDir: dir,
  };
});
afterAll(async () => {
  await vm?.[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

const sh = async (m: Machine, script: string): Promise<string> =>
  (await m.communicator.exec(['sh', '-c', script])).stdout;

async function commit(m: Vm, name: string): Promise<Layer> {
  const parents = m.chain.map((l) => l.id);
  await using staged = await cache.stage(sha256(name));
  await using memory = await cache.stage(sha256(`memory of ${name}`));
  const kept = await m.snapshot(staged, memory);
  if (await kept?.written) await memory.commit({ kind: 'vm-state', parents, localOnly: true, result: null });
  return await staged.commit({ kind: 'qcow2', parents, result: null });
}

const memoryOf = (name: string): Promise<Layer | undefined> => cache.lookup(sha256(`memory of ${name}`));

/** One machine for all: a boot takes half a minute under emulation. Its end is that of the file. */
async function lent(): Promise<Machine> {
  vm ??= await make([]);
  // It is no leak of the test that happens to start it.
  const owner = process.env.INGOT_TEST_OWNER;
  delete process.env.INGOT_TEST_OWNER;
  await vm.up();
  if (owner !== undefined) process.env.INGOT_TEST_OWNER = owner;
  const { kind, os, communicator, generated, chain } = vm;
  return {
    kind,
    os,
    communicator,
    generated,
    chain,
    finish: () => vm.finish(),
    async [Symbol.asyncDispose]() {},
  };
}

describe('before it ran', () => {
  test('its first layer is the image', async () => {
    vm = await make([]);
    const layer = await commit(vm, 'image');
    expect(layer.kind).toBe('qcow2');
    execFileSync('qemu-img', ['compare', '-q', image, join(layer.dir, 'files/disk.qcow2')]);
  });
});

describeMachine('a vm', lent);

describe('a vm', () => {
  test('goes on while layers are cut, and another one starts on them', async () => {
    await lent();
    // Once is enough: it would go on in each machine that goes on from here, and takes half of a boot that is emulated.
    await sh(vm, 'cloud-init status --wait; touch /etc/cloud/cloud-init.disabled');
    await sh(vm, 'echo one > /etc/one; (while sleep 0.1; do date >> /var/tmp/ticks; done) >/dev/null 2>&1 &');
    const one = await commit(vm, 'one');
    expect(await sh(vm, 'cat /etc/one')).toBe('one\n');
    await sh(vm, 'echo two > /etc/two; rm /etc/one');
    await vm.finish();
    const two = await commit(vm, 'two');
    for (const { dir: folder } of [one, two])
      execFileSync('qemu-img', ['check', '-q', join(folder, 'files/disk.qcow2')]);
    const [first] = vm.chain as [Layer];
    expect(await memoryOf('image')).toBeUndefined();
    expect(await memoryOf('two')).toBeUndefined();
    booted = [first, one];
    notes.length = 0;
    await using again = await make(booted, await memoryOf('one'));
    expect(await sh(again, 'cat /etc/one; ls /etc/two 2>&1; df --output=size -k / | tail -1')).toMatch(
      /^one\n.*No such file.*\n\s*[34]\d{6}\n$/s,
    );
    // It went on: what ran then runs still, and its clock is right all the same.
    expect(notes).toContain('the machine goes on from its kept memory: no boot');
    expect(await sh(again, 'pgrep -f var/tmp/ticks | head -1')).toMatch(/^\d+\n$/);
    expect(Math.abs(Number(await sh(again, 'date +%s')) - Date.now() / 1000)).toBeLessThan(30);
    // A restart in the middle: the command hears of it, and the next one waits for the machine.
    const boot = await sh(again, 'cat /proc/sys/kernel/random/boot_id');
    const restart = again.communicator.exec(['sh', '-c', 'systemctl reboot; sleep 100']);
    await expect(restart).rejects.toMatchObject({ code: 'machine/disconnected' });
    expect(await sh(again, 'cat /proc/sys/kernel/random/boot_id')).not.toBe(boot);
    // Powered off behind our back.
    await again.communicator.exec(['systemctl', 'poweroff']).catch(() => {});
    await expect(sh(again, 'sleep 100; true')).rejects.toMatchObject({
      code: expect.stringMatching(/machine\/(powered-off|disconnected)/) as string,
    });
    await expect(sh(again, 'true')).rejects.toMatchObject({ code: 'machine/powered-off' });
  });

  test('is left for a look as it was, with a command that starts it and one that logs in', async () => {
    const left = await make(booted, await memoryOf('one'));
    await sh(left, 'echo half > /etc/half');
    const command = (await left.leave())?.look as string;
    // What is left outlives us; here it may not outlive the test.
    await left[Symbol.asyncDispose]();
    const look = spawn('sh', ['-c', `exec ${command}`], { stdio: ['ignore', 'ignore', 'pipe'] });
    try {
      const [told] = (await once(look.stderr, 'data')) as [Buffer];
      const login = /log in from elsewhere: (ssh .*)/.exec(told.toString())?.[1] as string;
      const remote = `${login} -o ConnectTimeout=5 -o LogLevel=ERROR cat /etc/half`;
      const answer = (): string =>
        spawnSync('sh', ['-c', remote], { encoding: 'utf8', timeout: 20_000 }).stdout;
      await expect.poll(answer, { timeout: 300_000, interval: 1000 }).toBe('half\n');
    } finally {
      look.kill('SIGKILL');
      await once(look, 'close');
    }
  });

  test('whose kernel panics says so; a memory that belongs to another disk is not used', async () => {
    const [first, one] = vm.chain as [Layer, Layer];
    notes.length = 0;
    await using m = await make([first, one], await memoryOf('one'));
    const panic = sh(m, 'echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger');
    await expect(panic).rejects.toMatchObject({ code: 'machine/disconnected' });
    await expect(sh(m, 'true')).rejects.toMatchObject({
      code: 'machine/boot-failed',
      message: expect.stringContaining('Kernel panic') as string,
      output: expect.arrayContaining([expect.stringContaining('sysrq')]) as string[],
    });
    const disk = join(one.dir, 'files/disk.qcow2');
    expect(await memoryFor((await memoryOf('one')) as Layer, disk)).toBeDefined();
    expect(
      await memoryFor((await memoryOf('one')) as Layer, join(first.dir, 'files/disk.qcow2')),
    ).toBeUndefined();
  });
});

// On a memory that was kept: none of them waits for a boot.
const resumed: Resume = async (own = {}, changes = {}) => {
  expect(booted).toHaveLength(2);
  notes.length = 0;
  return await make(booted, await memoryOf('one'), own, { ...ctx, ...changes });
};

describe('a vm that runs', () => {
  describeFaults(resumed, () => ({ dir, ssh: SSH, hardware: HARDWARE, notes }));
});

describe('ansible, in a vm', () => {
  describePlaybooks(resumed, () => ctx);
});
