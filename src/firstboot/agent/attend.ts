import { constants, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { clientOf } from '../../secrets/http-way.ts';
import { loadProviders } from '../../secrets/providers.ts';
import { PATHS } from '../paths.ts';
import { renderService, runFirstBoot } from './first-boot.ts';
import type { AgentMachine } from './machine.ts';
import { becomeReady } from './ready.ts';
import { rehearse } from './rehearse.ts';

/** The machine for one request: what is printed goes to who asked, at `startedAt`. */
export type OpenMachine = (print: (line: string) => void, startedAt: number) => AgentMachine;

type Verb = (machine: AgentMachine, unit: string) => Promise<void>;
const VERBS: Readonly<Record<string, Verb>> = {
  'first-boot': runFirstBoot,
  render: (machine, unit) => renderService(unit, machine),
  ready: becomeReady,
};

/** Of a line in an answer: a write of this length is one piece (PIPE_BUF of pipe(7) is 4096 bytes). */
const LONGEST = 1000;

/**
 * Loads what a start of the machine may need, then does what is asked for (ask-script.ts), until the machine is ready:
 * after that it is cheaper to start an agent than to keep one. Everything is read anew for each request.
 */
export async function attend(machine: AgentMachine, open: OpenMachine): Promise<void> {
  const path = machine.place(PATHS.ask);
  const requests = new Socket({ fd: openSync(path, constants.O_RDWR | constants.O_NONBLOCK) });
  const running = new Set<Promise<void>>();
  const ended = new Promise<void>((resolve, reject) => {
    let text = '';
    requests.setEncoding('utf8').on('data', (part: string) => {
      const lines = (text + part).split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const request = serve(line).finally(() => running.delete(request));
        running.add(request);
      }
    });
    requests.once('error', reject).once('close', resolve);
    machine.signal.addEventListener('abort', () => requests.destroy());
  });
  await prepare(machine, () => running.size > 0);
  await ended;
  await Promise.all(running);

  async function serve(line: string): Promise<void> {
    const [verb = '', start = '', client = '', unit = ''] = line.split(' ');
    if (!/^\d+$/.test(client)) return;
    const pipe = machine.place(`${PATHS.answers}${client}`);
    const answer = openAnswer(pipe, machine);
    const say = (text: string): void => void answer?.write(`-${text.slice(0, LONGEST)}\n`);
    const own = open(say, Number(start) / 100);
    let exitCode = 0;
    try {
      await (VERBS[verb] ?? unknownVerb)(own, unit);
    } catch (error) {
      exitCode = 1;
      own.note(`ingot-agent: ${error instanceof Error ? error.message : String(error)}`);
    }
    answer?.end(`=${exitCode}\n`);
    // Until now who asked could be told by its name that we have ended.
    rmSync(pipe, { force: true });
    if (verb !== 'ready' || exitCode !== 0) return;
    // Who comes later finds no pipe; what came meanwhile is asked again by who waits for it.
    rmSync(path, { force: true });
    requests.destroy();
  }
}

/** Makes it quick to do what will be asked for. A rehearsal that fails is told, and no harm. */
async function prepare(machine: AgentMachine, isAsked: () => boolean): Promise<void> {
  await Promise.all([loadProviders(), clientOf({ protocol: 'https:' })]);
  if (isAsked()) return;
  await rehearse(machine).catch((error: Error) =>
    machine.note(`ingot: the rehearsal failed: ${error.message}`),
  );
}

/** The pipe of an answer; nothing where who asked has ended. */
function openAnswer(path: string, machine: AgentMachine): Socket | undefined {
  try {
    const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    const socket = new Socket({ fd, readable: false, writable: true });
    return socket.on('error', (error) => machine.note(`ingot: who asked has ended: ${error.message}`));
  } catch (error) {
    machine.note(`ingot: who asked has ended: ${(error as Error).message}`);
    return undefined;
  }
}

async function unknownVerb(): Promise<void> {
  throw new Error('it can be asked for first-boot, render UNIT and ready');
}
