import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkBoot } from '../../src/checks/boot.ts';
import type { BootCaseResult, BootCheckResult } from '../../src/checks/boot/result.ts';
import { findRootFilesystem } from '../../src/checks/boot/root-filesystem.ts';
import { sideBySide } from '../../src/checks/boot/side-by-side.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Context } from '../../src/core/context.ts';
import { createHost } from '../../src/host/index.ts';
import type { DiskBus, Firmware } from '../../src/host/qemu-command.ts';
import { Workspace } from './ingot.ts';

/** As little as boots: with every package a boot takes longer, and what is tested here ends with the root's mount. */
const TEMPLATE = `source "mmdebstrap" "full" {
  packages = ["systemd-sysv", "udev"]
  kernel   = "linux-image-amd64"
}
source "mmdebstrap" "cloud" {
  packages = ["systemd-sysv", "udev"]
  kernel   = "linux-image-cloud-amd64"
}
build {
  sources = ["source.mmdebstrap.full", "source.mmdebstrap.cloud"]
}
`;
const IMAGES = ['full', 'cloud']
  .map(
    (name) =>
      `image "${name}" {\n  build = "mmdebstrap.${name}"\n  version = "1.0.0"\n  output "raw" {}\n}\n`,
  )
  .join('');

type Image = 'full' | 'cloud' | 'fixed' | 'cloned';

type Boot = readonly [image: Image, bus: DiskBus, firmware: Firmware];

/** Debian's UEFI firmware has no driver for pvscsi. */
const MORE: readonly Boot[] = [
  ['full', 'ahci', 'uefi'],
  ['full', 'pvscsi', 'bios'],
];
const BUSES: readonly Boot[] = [
  ['full', 'ahci', 'bios'],
  ['full', 'nvme', 'uefi'],
  ['cloud', 'nvme', 'bios'],
  ...(process.env.INGOT_FAULTS === 'long' ? MORE : []),
];
/** `fixed` is `cloud` with what tells systemd-repart to enlarge the root taken away. */
const GROWTH = [
  ['fixed', 'virtio', 'bios', true],
  ['fixed', 'virtio', 'bios', false],
] as const;

let ws: Workspace;
let ctx: Context;
const results = new Map<string, BootCaseResult>();
let clones: BootCheckResult;

beforeAll(async () => {
  ws = new Workspace();
  rmSync(ws.path('web.pkr.hcl'));
  rmSync(ws.path('web.ingot.hcl'));
  writeFileSync(ws.path('disks.pkr.hcl'), TEMPLATE);
  writeFileSync(ws.path('disks.ingot.hcl'), IMAGES);
  await ws.build();
  const work = join(ws.root, 'work');
  mkdirSync(work);
  ctx = {
    signal: new AbortController().signal,
    emit: () => {},
    step: 'test.boot',
    host: createHost({ leaseDir: join(ws.root, 'leases') }),
    clock: systemClock,
    secrets: { resolve: () => Promise.reject(new Error('no secrets here')) },
    workDir: work,
    cacheDir: work,
    epoch: 0,
    templateDir: ws.project,
  };
  await takeGrowthAway();
  await bakeMachineId();
  const boots = [...BUSES.map((b) => [...b, true] as const), ...GROWTH];
  const booted = await sideBySide(
    boots,
    2,
    ctx.signal,
    async (b) => (await boot(b[0], b[1], b[2], b[3])).cases[0] as BootCaseResult,
    () => {},
  );
  clones = await boot('cloned', 'virtio', 'bios', true, 2);
  for (const [i, b] of boots.entries()) results.set(b.join(' '), booted[i] as BootCaseResult);
}, 1_200_000);
afterAll(() => ws.remove());

const disk = (image: Image): string => ws.path(`output-${image}/${image}-1.0.0.raw`);

async function takeGrowthAway(): Promise<void> {
  mkdirSync(ws.path('output-fixed'));
  await ctx.host.run('cp', ['--sparse=always', disk('cloud'), disk('fixed')]);
  const { offset } = await findRootFilesystem(ctx.host, ws.path('output-fixed'), 'fixed-1.0.0.raw');
  const target = `${disk('fixed')}?offset=${offset}`;
  await ctx.host.run('debugfs', ['-w', '-R', 'rm /usr/lib/repart.d/50-root.conf', target]);
}

/** A machine's id in the image, as an image that was booted before it was taken has it. */
async function bakeMachineId(): Promise<void> {
  mkdirSync(ws.path('output-cloned'));
  await ctx.host.run('cp', ['--sparse=always', disk('cloud'), disk('cloned')]);
  const { offset } = await findRootFilesystem(ctx.host, ws.path('output-cloned'), 'cloned-1.0.0.raw');
  const id = join(ws.root, 'work/machine-id');
  writeFileSync(id, `${'0123456789abcdef'.repeat(2)}\n`);
  const requests = join(ws.root, 'work/requests');
  writeFileSync(requests, `cd /etc\nrm machine-id\nwrite ${id} machine-id\n`);
  await ctx.host.run('debugfs', ['-w', '-f', requests, `${disk('cloned')}?offset=${offset}`]);
}

async function boot(
  image: Image,
  bus: DiskBus,
  firmware: Firmware,
  expectGrowth: boolean,
  parallel = 1,
): Promise<BootCheckResult> {
  const options = {
    image: disk(image),
    firmware: [firmware],
    seed: 'without',
    timeout: undefined,
    memory: 2 ** 30,
    cpus: 1,
    disk_bus: bus,
    accelerator: 'auto',
    allow_failed: [],
    expect_growth: expectGrowth,
    parallel,
    clones: parallel > 1,
  };
  return await checkBoot(options, ctx);
}

test.each(BUSES)('%s kernel, disk on %s, by %s', (...boot) => {
  const result = results.get([...boot, true].join(' '));
  expect(result?.findings, result?.console.join('\n')).toEqual([]);
  expect(result).toMatchObject({ status: 'passed', grown: true });
});

test('a root that keeps its size on a larger disk is a finding, unless the image file says so', () => {
  const [expected, allowed] = GROWTH.map((boot) => results.get(boot.join(' ')));
  expect(expected).toMatchObject({ status: 'failed', grown: false });
  expect(expected?.findings).toEqual([expect.stringMatching(/did not grow: the root partition is still/)]);
  expect(allowed).toMatchObject({ status: 'passed', grown: false, findings: [] });
});

test('clones that have a machine id in common fail the test, and the file is named', () => {
  expect(clones.status).toBe('failed');
  expect(clones.cases.map((c) => c.name)).toEqual([
    'bios, without seed',
    'bios, without seed, a second clone',
  ]);
  for (const one of clones.cases)
    expect(one.findings).toContainEqual(expect.stringMatching(/no first boot.*machine-id/));
  expect(clones.clones?.equal).toEqual([expect.stringMatching(/^\/etc\/machine-id is the same/)]);
});

test('nothing is left', () => expect(ws.residue()).toEqual([]));
