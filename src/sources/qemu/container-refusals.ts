import { IngotError } from '../../core/error.ts';
import { type QemuSourceOptions, qemuArgs } from './options.ts';

/** Refuses `engine = "container"` where a container could not do what the machine does. */
export function containerRefusals(o: QemuSourceOptions): void {
  const reason = reasonAgainst(o);
  if (reason === undefined) return;
  throw new IngotError('qemu/needs-vm', `engine "container" cannot build this image: ${reason}`, {
    hint: 'Build it with engine "vm".',
  });
}

function reasonAgainst(o: QemuSourceOptions): string | undefined {
  if (!o.disk_image) return 'an installer has to run in a machine (disk_image is false)';
  if (o.boot_command.length > 0) return 'boot_command types at a keyboard';
  if (o.communicator === 'none') return 'communicator "none" leaves nothing to provision';
  const kernel = (qemuArgs(o.qemuargs) ?? []).find(([name]) =>
    ['-kernel', '-append', '-initrd'].includes(name),
  );
  if (kernel) return `qemuargs give the machine a kernel of its own (${kernel[0]})`;
  return undefined;
}
