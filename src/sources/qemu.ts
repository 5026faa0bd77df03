import type { Source } from '../core/plugin.ts';
import { type QemuSourceOptions, qemuSpec } from './qemu/options.ts';

/** `source "qemu"`: a disk image or an installer, in a virtual machine (docs/sources/qemu.md). */
export const qemuSource: Source<QemuSourceOptions> = {
  type: 'qemu',
  version: 1,
  produces: 'rootfs',
  layers: 'qcow2',
  engines: ['vm', 'container'],
  output: (o, name) => ({
    format: o.format,
    options: o.format === 'qcow2' ? compression(o.disk_compression) : {},
    ...(o.output_directory !== undefined && { directory: o.output_directory }),
    fileName: o.vm_name ?? `packer-${name}`,
  }),
  needs: ({ memory, cpus }) => ({ memory: memory * 1024 * 1024, cpus }),
  schema: () => Promise.resolve(qemuSpec),
  pin: async (o, ctx) => (await import('./qemu/pin.ts')).pinQemu(o, ctx),
  start: async (o, base, ctx, memory) =>
    (await import('./qemu/machine.ts')).startMachine(o, base, ctx, memory),
};

function compression(wanted: boolean): Record<string, string> {
  return { compression: wanted ? 'zlib' : 'none' };
}
