import { createServer, type Server } from 'node:http';
import { readFile } from 'node:fs/promises';
import { PATHS } from '../paths.ts';
import { checkReady } from './checks.ts';
import { openFiller } from './fill.ts';
import { isDone, markDone } from './first-boot.ts';
import type { AgentMachine } from './machine.ts';
import { register } from './register.ts';
import { retry } from './retry.ts';
import { type ReadyState, Teller } from './state.ts';

/**
 * Waits until every readiness check passes, makes the instance known where it was not yet, and tells that it is ready.
 */
export async function becomeReady(machine: AgentMachine): Promise<void> {
  const teller = new Teller(machine);
  const { ready, register: places } = machine.config;
  const deadline = (ready?.timeout ?? 600_000) / 1000;
  await retry(
    async () => {
      const filler = await openFiller(machine);
      if (ready) await checkReady(ready, filler, machine);
      if (places && !(await isDone(PATHS.registered, machine))) {
        await register(places, filler, machine);
        await markDone(PATHS.registered, machine);
      }
    },
    { machine, teller, deadline },
  );
  await teller.tell('ready', []);
}

/** How things stand; waiting where nothing was told yet. */
export async function readState(machine: Pick<AgentMachine, 'place'>): Promise<ReadyState> {
  const text = await readFile(machine.place(PATHS.state), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return { state: 'waiting', missing: ['the first boot has not begun'], seconds: 0 };
  return JSON.parse(text) as ReadyState;
}

/** Answers every request with the state, read anew: 200 when ready, else 503. */
export function serveState(machine: AgentMachine, port: number, address: string): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume();
    const answer = (status: number, body: string): void => {
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(body);
    };
    readState(machine).then(
      (state) => answer(state.state === 'ready' ? 200 : 503, `${JSON.stringify(state)}\n`),
      () => answer(503, '{"state":"not ready","missing":["the state cannot be read"]}\n'),
    );
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => resolve(server));
  });
}
