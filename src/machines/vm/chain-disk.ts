import { type LayerChain, layerFile } from '../../core/layer.ts';
import type { QemuDisk } from '../../host/qemu-command.ts';

/** Name of the disk in a layer of kind `qcow2`. */
export const LAYER_DISK = 'disk.qcow2';

/** The disk of a chain: each layer's overlay above that of the layer below. Names are ours, never a header's. */
export function chainDisk(chain: LayerChain): QemuDisk | undefined {
  let disk: QemuDisk | undefined;
  for (const layer of chain) {
    disk = {
      path: layerFile(layer, LAYER_DISK),
      format: 'qcow2',
      readOnly: true,
      ...(disk && { backing: disk }),
    };
  }
  return disk;
}
