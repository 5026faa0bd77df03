import { attr, bodySpec, type OptionsOf } from '../../core/body-spec.ts';
import { FileWriter, roundUp } from './file-writer.ts';
import { fileStem } from './identity.ts';
import type { DiskFormat } from './types.ts';
import { VmdkStream } from './vmdk-stream.ts';

const MIB = 1 << 20;

const spec = bodySpec({
  adapter: attr.string('Controller that the disk says it is made for.', {
    default: 'lsilogic',
    oneOf: ['lsilogic', 'pvscsi', 'ide'],
  }),
});

/** A stream-optimized VMDK. */
export const vmdk: DiskFormat<OptionsOf<typeof spec>> = {
  type: 'vmdk',
  version: 1,
  doc: "VMware's stream-optimized disk, compressed, for import into vSphere, Workstation and VirtualBox.",
  spec,
  input: 'disk',
  extension: 'vmdk',
  needs: ['mptspi', 'vmw_pvscsi', 'ahci', 'ata_piix'],
  virtualSize: (size) => roundUp(size, MIB),
  async open(job) {
    const out = new FileWriter(job.file);
    const stream = new VmdkStream(out, 0, roundUp(job.disk.size, MIB), {
      seed: job.seed,
      name: `${fileStem(job.stamp)}.vmdk`,
      adapter: job.options.adapter,
    });
    return {
      wants: { deflated: true, adler32: true },
      async write(blocks) {
        for (const block of blocks) await stream.add(block);
        await out.flush();
      },
      async finish() {
        await stream.finish();
        return undefined;
      },
      [Symbol.asyncDispose]: async () => {},
    };
  },
};
