import { bodySpec } from '../../core/body-spec.ts';

export type SbomFormat = 'spdx' | 'cyclonedx';

const empty = bodySpec({});

/** `output "spdx" {}` and `output "cyclonedx" {}` of an image file. */
export const sbomFormats = [
  {
    type: 'spdx',
    version: 2,
    doc: 'Bill of materials in SPDX 2.3 JSON.',
    spec: empty,
    input: 'rootfs',
    extension: 'spdx.json',
  },
  {
    type: 'cyclonedx',
    version: 2,
    doc: 'Bill of materials in CycloneDX 1.6 JSON.',
    spec: empty,
    input: 'rootfs',
    extension: 'cdx.json',
  },
] as const;

export function isSbomFormat(format: string): format is SbomFormat {
  return format === 'spdx' || format === 'cyclonedx';
}
