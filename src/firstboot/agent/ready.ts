import { PATHS } from '../paths.ts';
import { checkReady, checkServices } from './checks.ts';
import { openFiller } from './fill.ts';
import { isDone, markDone } from './first-boot.ts';
import type { AgentMachine } from './machine.ts';
import { register } from './register.ts';
import { retry } from './retry.ts';
import { readBootStages } from './stages.ts';
import { Teller } from './state.ts';

/**
 * Waits until no service of the instance has failed and every readiness check passes, makes the instance known where it was
 * not yet, and tells that it is ready.
 */
export async function becomeReady(machine: AgentMachine): Promise<void> {
  const teller = new Teller(machine);
  const { ready, register: places, service } = machine.config;
  const services = service.map(({ unit }) => unit);
  const deadline = (ready?.timeout ?? 600_000) / 1000;
  await retry(
    async () => {
      const filler = await openFiller(machine);
      await checkServices(services, machine);
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
