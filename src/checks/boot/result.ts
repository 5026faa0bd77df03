import type { BootStage } from '../../core/boot-stages.ts';
import type { CheckStatus } from '../../core/event.ts';
import type { Firmware } from '../../host/qemu-command.ts';
import type { CloneResult } from './clones.ts';
import type { GuestReport } from './report.ts';

/** One boot: how the machine was started. */
export interface BootCase {
  /** `bios, with seed`: for events and reports. */
  readonly name: string;
  readonly firmware: Firmware;
  readonly seed: boolean;
}

export interface BootCaseResult extends BootCase {
  readonly status: CheckStatus;
  /** Why it failed or was skipped; the first finding. */
  readonly message?: string;
  readonly hint?: string;
  /** Everything that was wrong, in the order of weight. */
  readonly findings: readonly string[];
  /** Seconds from QEMU's start until the guest had settled and reported. */
  readonly bootSeconds?: number;
  /** What those went into, until the guest had settled. */
  readonly stages?: readonly BootStage[];
  readonly report?: GuestReport;
  /** The root filesystem took the room that the disk had beyond the image. */
  readonly grown?: boolean;
  /** Last lines of the console; only of a boot that failed. */
  readonly console: readonly string[];
}

export interface BootCheckResult {
  readonly status: CheckStatus;
  /** How the guests ran: `kvm` or `tcg`, and why. */
  readonly acceleration: { readonly accel: 'kvm' | 'tcg'; readonly reason: string };
  readonly cases: readonly BootCaseResult[];
  /** What the boots have in common; absent where fewer than two reported. */
  readonly clones?: CloneResult;
}

/** The host name that a seed gives, to see that it was applied. */
export const SEED_HOSTNAME = 'ingot-boot-check';

/** What a report says against the image. Units in `allowed` may fail. */
export function judgeReport(report: GuestReport, seed: boolean, allowed: readonly string[]): string[] {
  const findings: string[] = [];
  const failed = report.failedUnits.filter((unit) => !allowed.includes(unit));
  if (failed.length > 0) findings.push(`failed units: ${failed.join(', ')}`);
  const degradedByAllowed =
    report.state === 'degraded' && failed.length === 0 && report.failedUnits.length > 0;
  if (report.state !== 'running' && failed.length === 0 && !degradedByAllowed) {
    findings.push(`the system is "${report.state}"; expected "running"`);
  }
  if (!/^[0-9a-f]{32}$/.test(report.machineId)) {
    findings.push(
      `/etc/machine-id is "${report.machineId.slice(0, 40)}" after the boot; expected 32 hex digits`,
    );
  }
  if (!report.firstBoot) {
    findings.push('this was no first boot for systemd: the image has a machine-id (is it sealed?)');
  }
  if (report.sshKeys?.length === 0)
    findings.push('sshd is installed, but there are no SSH host keys after the boot');
  if (seed) findings.push(...judgeSeed(report));
  else if (report.cloudInit && report.cloudInit.errors.length > 0) {
    findings.push(`cloud-init: ${report.cloudInit.errors.join('; ')}`);
  }
  return findings;
}

/** Why the root did not take the `added` bytes that the disk had beyond the image: which of the two steps is missing. */
export function judgeGrowth(report: GuestReport, imageRootBytes: number, added: number): string {
  if (!report.sizes) return 'the size of the root filesystem could not be read in the guest';
  const mib = (bytes: number): string => `${Math.floor(bytes / 1048576)} MiB`;
  const { filesystem, partition, disk } = report.sizes;
  const missing =
    partition < imageRootBytes + added / 2
      ? `the root partition is still ${mib(partition)} large (has the image systemd-repart or growpart?)`
      : `the partition grew to ${mib(partition)}, its filesystem did not (has / x-systemd.growfs in /etc/fstab?)`;
  return `the root filesystem has ${mib(filesystem)} of a disk of ${mib(disk)} and did not grow: ${missing}`;
}

function judgeSeed(report: GuestReport): string[] {
  if (report.cloudInit === undefined) return ['a seed was given, but cloud-init did not run'];
  const findings = report.cloudInit.errors.map((error) => `cloud-init: ${error}`);
  if (!report.cloudInit.datasource.includes('NoCloud')) {
    findings.push(`cloud-init used the data source "${report.cloudInit.datasource}"; expected NoCloud`);
  }
  if (report.hostname !== SEED_HOSTNAME) {
    findings.push(`the host name is "${report.hostname}"; the seed set "${SEED_HOSTNAME}"`);
  }
  return findings;
}
