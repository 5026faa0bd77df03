import { type BootStage, kernelMarks, stagesBetween } from '../../core/boot-stages.ts';
import { REPORT_END, REPORT_HEADER } from './guest.ts';

/** What a settled guest said about itself. */
export interface GuestReport {
  /** Of `systemctl is-system-running`: `running`, `degraded`, `maintenance`, … */
  readonly state: string;
  readonly failedUnits: readonly string[];
  /** Unit name and its journal's last lines, one text a unit. */
  readonly failedLogs: readonly string[];
  /** Unit files whose state is `enabled`, sorted. */
  readonly enabledUnits: readonly string[];
  /** ConditionFirstBoot= was true. */
  readonly firstBoot: boolean;
  readonly machineId: string;
  readonly hostname: string;
  readonly osRelease: Readonly<Record<string, string>>;
  readonly kernel: string;
  /** As systemd-analyze counts: from the kernel's start until the last job was done. */
  readonly systemdSeconds: number | undefined;
  /** What those went into. */
  readonly stages: readonly BootStage[];
  /** Seconds since the kernel's start, at the end of the report. */
  readonly uptime: number;
  /** Bytes of the root filesystem, of its partition, and of the disk. */
  readonly sizes:
    | { readonly filesystem: number; readonly partition: number; readonly disk: number }
    | undefined;
  readonly cloudInit: { readonly datasource: string; readonly errors: readonly string[] } | undefined;
  /** Lines of `ssh-keygen -l`: bits, fingerprint, comment, type. undefined: no sshd is installed. */
  readonly sshKeys: readonly string[] | undefined;
  /** What else tells this machine from others: a file and its SHA-256, or a name and its value. */
  readonly identity: Readonly<Record<string, string>>;
}

/** A report is some kilobytes; a guest that writes more is not ours. */
export const MAX_REPORT = 1024 * 1024;

export interface ReportProgress {
  /** The reporter has started: the system reached basic.target. */
  readonly started: boolean;
  /** Jobs that systemd still waits for, by the latest word. */
  readonly jobs: readonly string[];
  /** There when the report is whole. */
  readonly report?: GuestReport;
}

/** Reads what arrived on the report's serial port so far. Lines that are no field are skipped. */
export function parseReport(text: string): ReportProgress {
  const lines = text.slice(0, MAX_REPORT).split(/\r*\n/);
  const start = lines.lastIndexOf(REPORT_HEADER);
  if (start < 0) return { started: false, jobs: [] };
  const fields = new Map<string, string[]>();
  let whole = false;
  for (const line of lines.slice(start + 1)) {
    if (line === REPORT_END) {
      whole = true;
      break;
    }
    const match = /^([a-z-]+) ([A-Za-z0-9+/]*={0,2})$/.exec(line);
    if (match?.[1] === undefined || match[2] === undefined) continue;
    const values = fields.get(match[1]) ?? [];
    values.push(Buffer.from(match[2], 'base64').toString('utf8').trim());
    fields.set(match[1], values);
  }
  const jobs = words(fields.get('jobs')?.at(-1));
  return { started: true, jobs, ...(whole && { report: readFields(fields) }) };
}

function readFields(fields: ReadonlyMap<string, readonly string[]>): GuestReport {
  const text = (name: string): string => fields.get(name)?.[0] ?? '';
  return {
    state: text('state'),
    failedUnits: words(text('failed')),
    failedLogs: fields.get('failed-log') ?? [],
    enabledUnits: words(text('enabled')).sort(),
    firstBoot: text('first-boot') === 'yes',
    machineId: text('machine-id'),
    hostname: text('hostname'),
    osRelease: readOsRelease(text('os-release')),
    kernel: text('kernel'),
    systemdSeconds: readFinish(text('times')),
    stages: readStages(text),
    uptime: Number.parseFloat(text('uptime')) || 0,
    sizes: readSizes(text('sizes')),
    cloudInit: fields.has('cloud-init') ? readCloudInit(text('cloud-init')) : undefined,
    identity: readIdentity(text('identity')),
    sshKeys: fields.has('ssh-keys') ? text('ssh-keys').split('\n').filter(Boolean) : undefined,
  };
}

function words(text: string | undefined): string[] {
  return (text ?? '').split('\n').filter(Boolean);
}

/** os-release(5): shell-like assignments; quotes are taken off. */
function readOsRelease(text: string): Record<string, string> {
  const entries: [string, string][] = [];
  for (const line of text.split('\n')) {
    const match = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) {
      entries.push([match[1], match[2].replace(/^(["'])(.*)\1$/, '$2')]);
    }
  }
  return Object.fromEntries(entries);
}

/** Lines of a name and, after a blank, its value. */
function readIdentity(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const [, name, value] = /^(\S+) (.+)$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value]];
    }),
  );
}

/** FinishTimestampMonotonic counts microseconds from the kernel's start. */
function readFinish(text: string): number | undefined {
  const match = /^FinishTimestampMonotonic=(\d+)$/m.exec(text);
  return match && Number(match[1]) > 0 ? Number(match[1]) / 1e6 : undefined;
}

/** Of lines `[    1.234567] text` of dmesg(1), and of the two units of cloud-init that start and end its early work. */
function readStages(text: (name: string) => string): BootStage[] {
  const log = [...text('kernel-log').matchAll(/^\[ *(\d+\.\d+)\] (.*)$/gm)];
  const times = [...text('cloud-init-times').matchAll(/^\w+TimestampMonotonic=(\d+)$/gm)];
  const [from, , , to] = times.map(([, microseconds]) => Number(microseconds) / 1e6);
  return stagesBetween([
    ...kernelMarks(log.map(([, at, line = '']) => ({ at: Number(at), text: line }))),
    ['system', from],
    ['cloud-init', to],
    ['services', readFinish(text('times'))],
  ]);
}

/** "4096 500000", then the partition's and the disk's sectors of 512 bytes. */
function readSizes(text: string): GuestReport['sizes'] {
  const [block, count, partition, disk] = text.split(/\s+/).map(Number);
  if (!block || !count || !partition) return undefined;
  // A root without partitions has no disk above it.
  return { filesystem: block * count, partition: partition * 512, disk: (disk || partition) * 512 };
}

/** /run/cloud-init/result.json: `{"v1": {"datasource": "DataSourceNoCloud [seed=…]", "errors": []}}`. */
function readCloudInit(text: string): GuestReport['cloudInit'] {
  try {
    const v1 = (JSON.parse(text) as { v1?: { datasource?: unknown; errors?: unknown } }).v1;
    const errors = Array.isArray(v1?.errors) ? v1.errors.map(String) : [];
    return { datasource: typeof v1?.datasource === 'string' ? v1.datasource : 'none', errors };
  } catch {
    return { datasource: 'none', errors: ['/run/cloud-init/result.json is not JSON'] };
  }
}
