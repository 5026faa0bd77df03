import { IngotError } from '../core/error.ts';
import type { Machine } from '../core/machine.ts';

/** Refuses a machine with Windows: what acts there needs WinRM. */
export function requireUnix(machine: Machine, type: string): void {
  if (machine.os !== 'windows') return;
  throw new IngotError(
    'provisioner/no-windows',
    `the provisioner ${type} needs a machine with a Unix system, and this one has Windows`,
    { hint: 'Windows machines need WinRM, which Ingot does not speak yet.' },
  );
}
