import { closeSync, constants, openSync, readSync } from 'node:fs';
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type BootMark, type BootStage, kernelMarks, stagesBetween } from '../../core/boot-stages.ts';
import { PATHS } from '../paths.ts';
import type { AgentMachine } from './machine.ts';

/** Something that the agent did in this boot; seconds from the start of the machine. */
export interface Span {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

export const FIRST_BOOT = 'first boot';
/** Of the kernel, and the first lines of systemd, with room for the noise of drivers between them. */
const MOST_RECORDS = 4000;

/** Keeps what the agent did, for who tells of the whole start. */
export async function recordSpans(spans: readonly Span[], machine: AgentMachine): Promise<void> {
  const path = machine.place(PATHS.spans);
  await mkdir(dirname(path), { recursive: true });
  await appendFile(path, spans.map((span) => `${JSON.stringify(span)}\n`).join(''));
}

/** Where the time went from the kernel's start until now, which is the end of `readiness`. */
export async function readBootStages(machine: AgentMachine): Promise<BootStage[]> {
  const now = machine.uptime();
  const spans = await readSpans(machine);
  const first = spans.find(({ name }) => name === FIRST_BOOT);
  const early = await unitTimes(machine);
  const within = (span: Span): boolean => first !== undefined && span.to <= first.to;
  const others = spans.filter((span) => span !== first);
  return stagesBetween([
    ...kernelMarks(kernelLog(machine)),
    ['system', early.from],
    [early.from === undefined ? 'system' : 'cloud-init', first ? (early.firstBoot ?? first.from) : early.to],
    ...others.flatMap((span): BootMark[] => [
      [within(span) ? FIRST_BOOT : 'services', span.from],
      [span.name, span.to],
    ]),
    [FIRST_BOOT, first?.to],
    ['services', machine.startedAt],
    ['readiness', now],
  ]);
}

async function readSpans(machine: AgentMachine): Promise<Span[]> {
  const text = await readFile(machine.place(PATHS.spans), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Span);
}

interface UnitTimes {
  /** cloud-init, from the start of its first unit until the instance has its configuration; nothing where it did not run. */
  readonly from?: number;
  readonly to?: number;
  /** The start of the first boot's unit: what it runs before the agent belongs to it. */
  readonly firstBoot?: number;
}

async function unitTimes(machine: AgentMachine): Promise<UnitTimes> {
  const units = ['cloud-init-local.service', 'cloud-init.service', 'ingot-first-boot.service'];
  const properties = ['InactiveExitTimestampMonotonic', 'ActiveEnterTimestampMonotonic'];
  const argv = ['systemctl', 'show', `--property=${properties.join(',')}`, '--', ...units];
  const { output } = await machine.run(argv, { quiet: true });
  const times = [...output.matchAll(/^\w+TimestampMonotonic=(\d+)$/gm)].map(([, n]) => Number(n) / 1e6);
  const [from, , , to, firstBoot] = times;
  return { ...(from && to ? { from, to } : {}), ...(firstBoot ? { firstBoot } : {}) };
}

/** Records of /dev/kmsg, one a read: `priority,sequence,microseconds,flags;text` (Documentation/ABI/testing/dev-kmsg of Linux). */
function kernelLog(machine: AgentMachine): { at: number; text: string }[] {
  const records: { at: number; text: string }[] = [];
  try {
    const file = openSync(machine.place('/dev/kmsg'), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const buffer = Buffer.alloc(8192);
      while (records.length < MOST_RECORDS) {
        const size = readSync(file, buffer);
        if (size === 0) break;
        const [, at, text] = /^\d+,\d+,(\d+),[^;]*;(.*)/.exec(buffer.toString('utf8', 0, size)) ?? [];
        if (text !== undefined) records.push({ at: Number(at) / 1e6, text });
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    // At the end of the log; and where the log is not to be read, as in containers, the stages begin with systemd's.
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN')
      machine.note(`/dev/kmsg: ${(error as Error).message}`);
  }
  return records;
}
