import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { IngotError } from '../../core/error.ts';
import { syncFolder, writeSecretFile } from '../../secrets/write-secret-file.ts';
import type { CommandOptions } from '../config.ts';
import { PATHS } from '../paths.ts';
import { type Filler, openFiller } from './fill.ts';
import type { AgentMachine } from './machine.ts';
import { makeFolder } from './make-folder.ts';
import { renderFiles } from './render.ts';
import { retry } from './retry.ts';
import { FIRST_BOOT, recordSpans, type Span } from './stages.ts';
import { readState, Teller } from './state.ts';

/**
 * The first boot: files, then commands in their order, then the mark that it is done. What fails is tried again until it
 * works. Commands that have succeeded are not run again in this boot; after a power cut everything is.
 */
export async function runFirstBoot(machine: AgentMachine): Promise<void> {
  const teller = new Teller(machine);
  const { config } = machine;
  const deadline = (config.ready?.timeout ?? 600_000) / 1000;
  const spans: Span[] = [];
  let next = 0;
  await retry(
    async () => {
      const filler = await openFiller(machine);
      await renderFiles(config.file, filler, machine);
      for (; next < config.command.length; next++) {
        const command = config.command[next] as CommandOptions;
        const from = machine.uptime();
        try {
          await runCommand(command, filler, machine);
        } finally {
          spans.push({ name: `command ${command.name}`, from, to: machine.uptime() });
        }
      }
      await markDone(PATHS.done, machine);
    },
    { machine, teller, deadline },
  );
  await recordSpans([...spans, { name: FIRST_BOOT, from: machine.startedAt, to: machine.uptime() }], machine);
  machine.note('ingot: the first boot is done');
}

/** Makes the files of one service, before each of its starts. */
export async function renderService(unit: string, machine: AgentMachine): Promise<void> {
  const { config } = machine;
  const service = config.service.find((one) => one.unit === unit);
  if (!service) {
    throw new IngotError(
      'firstboot/unknown-service',
      `${PATHS.config} has no service ${JSON.stringify(unit)}`,
      {
        hint: `It has ${config.service.map((one) => one.unit).join(', ') || 'none'}.`,
      },
    );
  }
  // A service may be started long after the machine.
  const deadline = machine.uptime() + (config.ready?.timeout ?? 600_000) / 1000;
  const before = await readState(machine);
  const teller = new Teller(machine);
  await retry(async () => renderFiles(service.file, await openFiller(machine), machine), {
    machine,
    teller,
    deadline,
  });
  if (before.state !== 'ready') {
    const span = { name: `files of ${unit}`, from: machine.startedAt, to: machine.uptime() };
    await recordSpans([span], machine);
  }
  // An instance that was ready, and waited for this restart, is ready again.
  if (teller.hasTold && before.state === 'ready') await teller.tell('ready', [], before.stages);
}

async function runCommand(options: CommandOptions, filler: Filler, machine: AgentMachine): Promise<void> {
  const { name, script, command = [], environment, timeout } = options;
  const what = `command ${JSON.stringify(name)}`;
  const argv = script === undefined ? await filler.fillList(command, what) : [script];
  const env = { ...filler.env, ...(await filler.fillAll(environment, what)) };
  const { exitCode, output } = await machine.run(argv, { env, timeoutMs: timeout });
  if (exitCode === 0) return;
  const last = output.trim().split('\n').at(-1) ?? '';
  throw new IngotError(
    'firstboot/command-failed',
    `${what} ended with exit code ${exitCode}${last === '' ? '' : `: ${last.slice(0, 300)}`}`,
    { hint: 'journalctl -u ingot-first-boot has all that it wrote.' },
  );
}

/** Writes a mark that outlives a power cut, after all that it speaks of is on the disk. */
export async function markDone(path: string, machine: AgentMachine): Promise<void> {
  const mark = machine.place(path);
  const folder = dirname(mark);
  await makeFolder(folder);
  await syncFolder(dirname(folder));
  // What commands have written was perhaps never synced by them.
  const { exitCode } = await machine.run(['sync'], { quiet: true });
  if (exitCode !== 0)
    throw new IngotError('firstboot/command-failed', `sync ended with exit code ${exitCode}`);
  await writeSecretFile(mark, `${machine.now().toISOString()}\n`, { mode: 0o644 });
}

/** Whether a mark is there. */
export async function isDone(path: string, machine: AgentMachine): Promise<boolean> {
  return await access(machine.place(path)).then(
    () => true,
    () => false,
  );
}
