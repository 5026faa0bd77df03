import { connect } from 'node:net';
import { IngotError } from '../../core/error.ts';
import { createFetch } from '../../secrets/http.ts';
import { settleAll } from '../../secrets/settle-all.ts';
import type { ReadyOptions } from '../config.ts';
import type { Filler } from './fill.ts';
import type { AgentMachine } from './machine.ts';

/** Of one connection or request. */
const PATIENCE_MS = 5_000;

/** Tries all that makes the instance ready, at once. Throws `firstboot/not-ready` for each thing that is missing. */
export async function checkReady(ready: ReadyOptions, filler: Filler, machine: AgentMachine): Promise<void> {
  await settleAll([
    ...ready.units.map((unit) => checkUnit(unit, machine)),
    ...ready.tcp.map(async ({ name, host, port }) =>
      checkPort(name, await filler.fill(host, `tcp ${name}`), port),
    ),
    ...ready.http.map(async ({ name, url, status }) =>
      checkAddress(name, await filler.fill(url, `http ${name}`), status, machine),
    ),
    ...ready.command.map(async ({ name, command, timeout }) => {
      const argv = await filler.fillList(command, `command ${name}`);
      const { exitCode } = await machine.run(argv, { env: filler.env, timeoutMs: timeout, quiet: true });
      if (exitCode !== 0) throw notReady(`${name}: ${argv[0]} ended with exit code ${exitCode}`);
    }),
  ]);
}

/** A service of the instance may have ended well, as one-shots do; one that has failed makes no instance ready. */
export async function checkServices(services: readonly string[], machine: AgentMachine): Promise<void> {
  await settleAll(
    services.map(async (unit) => {
      const { exitCode } = await machine.run(['systemctl', 'is-failed', '--quiet', '--', unit], {
        quiet: true,
      });
      if (exitCode === 0) throw notReady(`${unit} has failed`);
    }),
  );
}

async function checkUnit(unit: string, machine: AgentMachine): Promise<void> {
  const { output } = await machine.run(['systemctl', 'is-active', '--', unit], { quiet: true });
  const state = output.trim().split('\n')[0] ?? '';
  if (state !== 'active') throw notReady(`${unit} is ${state || 'unknown'}`);
}

function checkPort(name: string, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const fail = (why: string): void => {
      socket.destroy();
      reject(notReady(`${name}: ${host}:${port} takes no connection: ${why}`));
    };
    socket.setTimeout(PATIENCE_MS, () => fail(`no answer within ${PATIENCE_MS} ms`));
    socket.once('error', (error) => fail(error.message));
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}

async function checkAddress(
  name: string,
  url: string,
  wanted: number | undefined,
  { signal }: AgentMachine,
): Promise<void> {
  const fetch = createFetch({ attemptMs: PATIENCE_MS, deadlineMs: PATIENCE_MS, attempts: 1, signal });
  const { status } = await fetch({ url: new URL(url) });
  const isGood = wanted === undefined ? status >= 200 && status < 300 : status === wanted;
  if (!isGood) throw notReady(`${name}: ${url} answers with status ${status}`);
}

function notReady(what: string): IngotError {
  return new IngotError('firstboot/not-ready', what);
}
