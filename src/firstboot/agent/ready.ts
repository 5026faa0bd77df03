import { PATHS } from '../paths.ts';
import { checkReady } from './checks.ts';
import { openFiller } from './fill.ts';
import { isDone, markDone } from './first-boot.ts';
import type { AgentMachine } from './machine.ts';
import { register } from './register.ts';
import { retry } from './retry.ts';
import { readBootStages } from './stages.ts';
import { Teller } from './state.ts';

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
  // It is ready, even if it can't be told where the time went.
  const stages = await readBootStages(machine).catch((error: Error) =>
    machine.note(`ingot: ${error.message}`),
  );
  await teller.tell('ready', [], stages ?? undefined);
}
