import { setTimeout as sleep } from 'node:timers/promises';
import { IngotError } from '../../core/error.ts';
import type { AgentMachine } from './machine.ts';
import type { Teller } from './state.ts';

/** Errors that a wrong clock causes: certificates and signatures have a time. */
const ABOUT_TIME = /not yet valid|has expired|expired|skewed|too (?:old|new)/i;

/**
 * Does the work until it is done, with pauses that double, and says after each failure what is missing. After
 * `deadline` seconds of uptime it says `not ready`, and goes on trying.
 */
export async function retry<T>(
  work: () => Promise<T>,
  { machine, teller, deadline }: { machine: AgentMachine; teller: Teller; deadline: number },
): Promise<T> {
  for (let pause = machine.pauses.first; ; pause = Math.min(pause * 2, machine.pauses.longest)) {
    try {
      return await work();
    } catch (error) {
      machine.signal.throwIfAborted();
      const missing = missingOf(error, machine.now());
      const late = machine.uptime() > deadline;
      // The state file may be what cannot be written; the console tells that.
      await teller.tell(late ? 'not ready' : 'waiting', missing).catch((failure: unknown) => {
        machine.note(`ingot: ${failure instanceof Error ? failure.message : String(failure)}`);
      });
      await sleep(pause, undefined, { signal: machine.signal });
    }
  }
}

/** What an error says is missing, each thing once. Defects of ours are no reason to be silent. */
function missingOf(error: unknown, now: Date): string[] {
  if (error instanceof AggregateError) return error.errors.flatMap((one) => missingOf(one, now));
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof IngotError && error.hint !== undefined ? ` (${error.hint})` : '';
  const clock = ABOUT_TIME.test(message) ? `; the clock of this machine says ${now.toISOString()}` : '';
  return [`${message}${clock}${hint}`];
}
