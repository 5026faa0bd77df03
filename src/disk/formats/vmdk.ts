import { attr, bodySpec, type OptionsOf } from '../../core/body-spec.ts';
import { roundUp } from './file-writer.ts';
import type { DiskFormat } from './types.ts';

const MIB = 1 << 20;

const spec = bodySpec({
  adapter: attr.string('Controller that the disk says it is made for.', {
    default: 'lsilogic',
    oneOf: ['lsilogic', 'pvscsi', 'ide'],
  }),
});

export type VmdkOptions = OptionsOf<typeof spec>;

/** A stream-optimized VMDK. */
export const vmdk: DiskFormat<VmdkOptions> = {
  type: 'vmdk',
  version: 1,
  doc: "VMware's stream-optimized disk, compressed, for import into vSphere, Workstation and VirtualBox.",
  spec,
  input: 'disk',
  extension: 'vmdk',
  needs: ['mptspi', 'vmw_pvscsi', 'ahci', 'ata_piix'],
  virtualSize: (size) => roundUp(size, MIB),
  open: async (job) => (await import('./vmdk-writer.ts')).openVmdk(job),
};
