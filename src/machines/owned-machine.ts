import type { ContainerSettings } from '../core/container-settings.ts';
import type { Machine } from '../core/machine.ts';
import type { Scope } from '../core/scope.ts';

/** The machine, whose end is the end of all that it stands on. `settings`: of the image that it was started from. */
export function ownedMachine(machine: Machine, scope: Scope, settings: ContainerSettings): Machine {
  return {
    kind: machine.kind,
    os: machine.os,
    communicator: machine.communicator,
    generated: machine.generated,
    settings,
    get chain() {
      return machine.chain;
    },
    ...(machine.reboot && { reboot: () => machine.reboot?.() as Promise<void> }),
    ...(machine.snapshot && { snapshot: (into) => machine.snapshot?.(into) as Promise<void> }),
    ...(machine.leave && {
      async leave() {
        const left = await machine.leave?.();
        if (left) scope.move();
        return left;
      },
    }),
    finish: () => machine.finish(),
    [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
  };
}
