import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { stagesText } from '../core/boot-stages.ts';
import type { Context } from '../core/context.ts';
import { note } from '../core/context.ts';
import { IngotError } from '../core/error.ts';
import { type AccelerationChoice, chooseAcceleration } from '../host/acceleration.ts';
import { whyNotBootable } from '../host/bootable.ts';
import { headOf } from '../host/require-bootable.ts';
import type { DiskBus, Firmware, QemuDisk } from '../host/qemu-command.ts';
import { copyToRaw, imageFingerprint, inspectImage } from '../host/qemu-image.ts';
import { type BootMachine, bootOnce } from './boot/boot-once.ts';
import { compareClones } from './boot/clones.ts';
import { injectReporter } from './boot/inject.ts';
import { judgeBoot } from './boot/judge-boot.ts';
import { findRootFilesystem, hasCloudInit } from './boot/root-filesystem.ts';
import type { BootCase, BootCaseResult, BootCheckResult } from './boot/result.ts';
import { hostRoom, shareOf, sideBySide } from './boot/side-by-side.ts';
import type { BootTestOptions } from './boot/spec.ts';

export type { BootCheckResult } from './boot/result.ts';
export type { BootTestOptions } from './boot/spec.ts';

/** Room that the disk gets beyond the image, to see the root filesystem grow. */
const GROWTH = 512 * 1024 * 1024;
/** Emulation is slow, and slower on a busy host. */
const TIMEOUT_MS = { kvm: 120_000, tcg: 300_000 } as const;
const NO_CLOUD_INIT = {
  status: 'skipped',
  message: 'the image has no cloud-init',
  findings: [],
  console: [],
} as const;

export interface BootCheckOptions extends BootTestOptions {
  /** Path of the finished disk, raw or qcow2; only ever read. */
  readonly image: string;
}

/**
 * Boots throwaway overlays of a finished disk and answers what the guests report. A boot that fails is a result.
 * Throws `boot/no-root` when the reporter cannot be added, `boot/image-changed` when the image is not as it was.
 */
export async function checkBoot(o: BootCheckOptions, ctx: Context): Promise<BootCheckResult> {
  const before = await imageFingerprint(o.image);
  const image = await inspectImage(o.image);
  const acceleration = await chooseAcceleration(o.accelerator as AccelerationChoice);
  note(ctx, acceleration.reason);
  await using work = await ctx.host.scratch(ctx.workDir, 'boot-');
  await copyToRaw(ctx, o.image, image.format, join(work.dir, 'disk.raw'));
  const root = await findRootFilesystem(ctx.host, work.dir, 'disk.raw');
  await injectReporter(ctx.host, work.dir, 'disk.raw', root);
  const cloudInit = await hasCloudInit(ctx.host, work.dir, 'disk.raw', root.offset);

  const base: QemuDisk = { path: join(work.dir, 'disk.raw'), format: 'raw', readOnly: true };
  const head = await headOf(ctx.host, base, work.dir);
  const planned = planCases(o, cloudInit);
  const share = shareOf(planned.length, o, hostRoom());
  const machine: BootMachine = {
    memory: o.memory,
    cpus: share.cpus,
    bus: o.disk_bus as DiskBus,
    accel: acceleration.accel,
    timeoutMs: o.timeout ?? TIMEOUT_MS[acceleration.accel],
  };
  const runCase = async (boot: BootCase, signal: AbortSignal): Promise<BootCaseResult> => {
    if (boot.seed && !cloudInit) return { ...boot, ...NO_CLOUD_INIT };
    const disk = { rootBytes: root.bytes, added: GROWTH };
    const failure = whyNotBootable(head, image.virtualSize, boot.firmware);
    // A BIOS would run the zeros of an empty sector and stay silent until the timeout.
    if (failure) return judgeBoot(boot, { seconds: 0, failure, console: '' }, disk, o);
    const dir = join(work.dir, boot.name.replaceAll(/\W+/g, '-'));
    await mkdir(dir);
    const size = image.virtualSize + GROWTH;
    return judgeBoot(boot, await bootOnce(boot, machine, base, size, dir, { ...ctx, signal }), disk, o);
  };
  const cases = await sideBySide(planned, share.atOnce, ctx.signal, runCase, (result) =>
    note(ctx, outcomeLine(result)),
  );
  if ((await imageFingerprint(o.image)) !== before) {
    throw new IngotError(
      'boot/image-changed',
      `${o.image} changed while its copy was booted; expected it untouched`,
      {
        hint: 'Did another program write to it? Build it again.',
      },
    );
  }
  const clones = compareClones(cases);
  for (const sentence of clones?.equal ?? []) note(ctx, sentence);
  const status =
    cases.some((c) => c.status === 'failed') || (clones && clones.equal.length > 0)
      ? 'failed'
      : cases.some((c) => c.status === 'passed')
        ? 'passed'
        : 'skipped';
  return { status, acceleration, cases, ...(clones && { clones }) };
}

/**
 * `both`: every firmware with the seed, then the first without; without cloud-init every firmware without. With
 * `clones` a boot that would be the only one comes twice.
 */
export function planCases(
  o: Pick<BootTestOptions, 'firmware' | 'seed' | 'clones'>,
  cloudInit: boolean,
): BootCase[] {
  const cases = firmwareCases(o, cloudInit);
  const [only] = cases;
  return only && cases.length === 1 && o.clones
    ? [only, { ...only, name: `${only.name}, a second clone` }]
    : cases;
}

function firmwareCases(o: Pick<BootTestOptions, 'firmware' | 'seed'>, cloudInit: boolean): BootCase[] {
  const one = (firmware: string, seed: boolean): BootCase => ({
    name: `${firmware}, ${seed ? 'with' : 'without'} seed`,
    firmware: firmware as Firmware,
    seed,
  });
  if (o.seed === 'with') return o.firmware.map((f) => one(f, true));
  if (o.seed === 'without' || !cloudInit) return o.firmware.map((f) => one(f, false));
  return [...o.firmware.map((f) => one(f, true)), ...o.firmware.slice(0, 1).map((f) => one(f, false))];
}

function outcomeLine({ name, status, bootSeconds, stages = [], message }: BootCaseResult): string {
  const parts = stages.length === 0 ? '' : ` (${stagesText(stages)})`;
  const seconds = bootSeconds === undefined ? '' : ` in ${bootSeconds.toFixed(1)} s${parts}`;
  return `${name}: ${status}${seconds}${message === undefined ? '' : `: ${message}`}`;
}
