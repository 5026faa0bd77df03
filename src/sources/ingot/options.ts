import { attr, bodySpec, type OptionsOf } from '../../core/body-spec.ts';
import type { Descriptor } from '../../core/descriptor.ts';

/** What `source "ingot" "name" { … }` may hold. */
export const ingotSpec = bodySpec({
  release: attr.string('The release: name@version, name@channel, or name for its highest version.', {
    required: true,
  }),
  store: attr.string('Where it was released: oci-layout:<folder>. Default: the user’s own store.', {
    unhashed: true,
  }),
  boot: attr.bool('Run systemd while provisioning.', { default: false }),
});

/** As pinned: which release, and which of its outputs. */
export type IngotOptions = OptionsOf<typeof ingotSpec> & {
  readonly pinned?: { readonly name: string; readonly digest: string; readonly manifest: Descriptor };
};
