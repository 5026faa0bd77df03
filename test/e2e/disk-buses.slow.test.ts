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

const isLong = process.env.INGOT_FAULTS === 'long';
/** The full kernel has the drivers of more buses; its packages and its initramfs take a minute of a processor. */
const KERNELS = { cloud: 'linux-image-cloud-amd64', ...(isLong && { full: 'linux-image-amd64' }) };

/** As little as boots: with every package a boot takes longer, and what is tested here ends with the root's mount. */
const source = ([name, kernel]: [string, string]): string => `source "mmdebstrap" "${name}" {
  packages = ["systemd-sysv", "udev"]
  kernel   = "${kernel}"
}
`;
const TEMPLATE = `${Object.entries(KERNELS).map(source).join('')}build {
  sources = [${Object.keys(KERNELS)
    .map((name) => `"source.mmdebstrap.${name}"`)
    .join(', ')}]
}
`;
const IMAGES = Object.keys(KERNELS)
  .map(
    (name) =>
      `image "${name}" {\n  build = "mmdebstrap.${name}"\n  version = "1.0.0"\n  output "raw" {}\n}\n`,
  )
  .join('');

/** `spoilt` is `cloud` without what tells systemd-repart to enlarge the root, and with the id of a machine that ran. */
type Image = 'full' | 'cloud' | 'spoilt';

type Boot = readonly [image: Image, bus: DiskBus, firmware: Firmware];

/** Debian's UEFI firmware has no driver for pvscsi. */
const MORE: readonly Boot[] = [
  ['full', 'ahci', 'bios'],
  ['full', 'nvme', 'uefi'],
  ['full', 'ahci', 'uefi'],
  ['full', 'pvscsi', 'bios'],
];
const BUSES: readonly Boot[] = [
  ['cloud', 'nvme', 'bios'],
  ['cloud', 'nvme', 'uefi'],
  ...(isLong ? MORE : []),
];

let ws: Workspace;
let ctx: Context;
const results = new Map<string, BootCaseResult>();
let clones: BootCheckResult;

beforeAll(async () => {
  ws = Workspace.withDownloads();
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
  await spoil();
  const booted = await sideBySide(
    BUSES,
    2,
    ctx.signal,
    async (b) => (await boot(...b)).cases[0] as BootCaseResult,
    () => {},
  );
  for (const [i, b] of BUSES.entries()) results.set(b.join(' '), booted[i] as BootCaseResult);
  clones = await boot('spoilt', 'virtio', 'bios', 2);
}, 1_200_000);
afterAll(() => ws.remove());

const disk = (image: Image): string => ws.path(`output-${image}/${image}-1.0.0.raw`);

async function spoil(): Promise<void> {
  mkdirSync(ws.path('output-spoilt'));
  await ctx.host.run('cp', ['--sparse=always', disk('cloud'), disk('spoilt')]);
  const { offset } = await findRootFilesystem(ctx.host, ws.path('output-spoilt'), 'spoilt-1.0.0.raw');
  const id = join(ws.root, 'work/machine-id');
  writeFileSync(id, `${'0123456789abcdef'.repeat(2)}\n`);
  const requests = join(ws.root, 'work/requests');
  const growth = 'rm /usr/lib/repart.d/50-root.conf';
  writeFileSync(requests, `${growth}\ncd /etc\nrm machine-id\nwrite ${id} machine-id\n`);
  await ctx.host.run('debugfs', ['-w', '-f', requests, `${disk('spoilt')}?offset=${offset}`]);
}

async function boot(image: Image, bus: DiskBus, firmware: Firmware, parallel = 1): Promise<BootCheckResult> {
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
    expect_growth: true,
    parallel,
    clones: parallel > 1,
  };
  return await checkBoot(options, ctx);
}

test.each(BUSES)('%s kernel, disk on %s, by %s', (...boot) => {
  const result = results.get(boot.join(' '));
  expect(result?.findings, result?.console.join('\n')).toEqual([]);
  expect(result).toMatchObject({ status: 'passed', grown: true });
});

test('clones of an image that was booted before: what they share and what did not grow is told', () => {
  expect(clones.status).toBe('failed');
  expect(clones.cases.map((c) => c.name)).toEqual([
    'bios, without seed',
    'bios, without seed, a second clone',
  ]);
  for (const one of clones.cases) {
    expect(one.grown).toBe(false);
    expect(one.findings).toEqual([
      expect.stringMatching(/no first boot.*machine-id/),
      expect.stringMatching(/did not grow: the root partition is still/),
    ]);
  }
  expect(clones.clones?.equal).toEqual([expect.stringMatching(/^\/etc\/machine-id is the same/)]);
});

test('nothing is left', () => expect(ws.residue()).toEqual([]));
