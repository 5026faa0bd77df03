import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../../core/body-spec.ts';
import type { Descriptor } from '../../core/descriptor.ts';
import type { IngotError } from '../../core/error.ts';
import { parseImageLocation } from '../../disk/oci/location.ts';
import { parsePlatform } from '../../disk/oci/platform.ts';

/** What `source "oci" "name" { … }` may hold. */
export const ociSpec = bodySpec(
  {
    image: attr.string(
      'The image: docker://host/repository:tag, oci:/folder[:ref] or oci-archive:/file.tar[:ref].',
      { required: true },
    ),
    platform: attr.string('Which of a multi-platform image.', { default: 'linux/amd64' }),
    insecure: attr.bool('The registry is asked without TLS.', { default: false, unhashed: true }),
    boot: attr.bool('Run systemd while provisioning.', { default: false }),
  },
  {},
  (o): OptionProblem[] => {
    for (const [path, parse] of [
      ['image', parseImageLocation],
      ['platform', parsePlatform],
    ] as const) {
      try {
        parse(o[path]);
      } catch (error) {
        const { message, hint } = error as IngotError;
        return [{ path: [path], message, ...(hint !== undefined && { hint }) }];
      }
    }
    return [];
  },
);

/** As pinned: which manifest it is. */
export type OciOptions = OptionsOf<typeof ociSpec> & { readonly manifest?: Descriptor };
