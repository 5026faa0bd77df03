import type { Context } from '../../core/context.ts';
import { oci } from './oci.ts';
import { ova } from './ova.ts';
import { qcow2 } from './qcow2.ts';
import { gce } from './gce.ts';
import { raw } from './raw.ts';
import { rootfs } from './rootfs.ts';
import { vhd } from './vhd.ts';
import { vhdx } from './vhdx.ts';
import { vmdk } from './vmdk.ts';
import type {
  DiskFormat,
  ExportInput,
  OutputFile,
  OutputFormat,
  OutputRequest,
  RootfsFormat,
} from './types.ts';

export type { ExportInput, OutputFile, OutputFormat, OutputRequest } from './types.ts';

const formats: readonly (DiskFormat | RootfsFormat)[] = [raw, qcow2, vhd, vhdx, vmdk, ova, gce, oci, rootfs];

/** Every format there is. */
export const outputFormats: readonly OutputFormat[] = formats;

/**
 * Writes every requested output, side by side: the disk is read once for all formats made from it. Answers in the
 * order of the requests; when one fails, none is left behind. Throws `output/*`.
 */
export async function exportOutputs(
  input: ExportInput,
  requests: readonly OutputRequest[],
  ctx: Context,
): Promise<OutputFile[]> {
  const { exportWith } = await import('./export.ts');
  return await exportWith(formats, input, requests, ctx);
}
