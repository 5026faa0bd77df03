import { createServer, type Server } from 'node:http';
import type { AgentMachine } from './machine.ts';
import { readState } from './state.ts';

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
