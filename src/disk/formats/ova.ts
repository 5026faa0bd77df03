import { attr, bodySpec, type OptionsOf } from '../../core/body-spec.ts';
import { roundUp } from './file-writer.ts';
import type { DiskFormat } from './types.ts';

const MIB = 1 << 20;

const spec = bodySpec(
  {
    cpus: attr.number('Virtual CPUs that the machine gets.', { default: 2 }),
    memory: attr.size('Memory that the machine gets, whole MiB.', { default: 1 << 30 }),
    controller: attr.string('SCSI controller of the disk; lsilogic is known to both VMware and VirtualBox.', {
      default: 'lsilogic',
      oneOf: ['lsilogic', 'VirtualSCSI'],
    }),
    network_card: attr.string('Network card; E1000 is known to both VMware and VirtualBox.', {
      default: 'E1000',
      oneOf: ['E1000', 'VmxNet3'],
    }),
  },
  {},
  ({ cpus, memory }) => [
    ...(Number.isInteger(cpus) && cpus >= 1 && cpus <= 256
      ? []
      : [{ path: ['cpus'], message: `is ${cpus}, expected a whole number from 1 to 256` }]),
    ...(memory >= 64 * MIB && memory % MIB === 0
      ? []
      : [{ path: ['memory'], message: `is ${memory} bytes, expected whole MiB, 64 or more` }]),
  ],
);

export type OvaOptions = OptionsOf<typeof spec>;

/** An appliance: OVF descriptor, stream-optimized VMDK and manifest in a ustar archive (DMTF DSP0243 1.1.1). */
export const ova: DiskFormat<OvaOptions> = {
  type: 'ova',
  version: 1,
  doc: 'An appliance for VMware and VirtualBox: OVF descriptor, disk and manifest in one file.',
  spec,
  input: 'disk',
  extension: 'ova',
  needs: ['mptspi', 'vmw_pvscsi'],
  virtualSize: (size) => roundUp(size, MIB),
  open: async (job) => (await import('./ova-writer.ts')).openOva(job),
};
