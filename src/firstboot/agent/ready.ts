import { createServer, type Server } from 'node:http';
import { PATHS } from '../paths.ts';
import { checkReady } from './checks.ts';
import { openFiller } from './fill.ts';
import { isDone, markDone } from './first-boot.ts';
import type { AgentMachine } from './machine.ts';
import { register } from './register.ts';
import { retry } from './retry.ts';
import { readBootStages } from './stages.ts';
import { readState, Teller } from './state.ts';

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
  await teller.tell('ready', [], await readBootStages(machine));
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
