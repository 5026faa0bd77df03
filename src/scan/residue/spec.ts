import { attr, bodySpec } from '../../core/body-spec.ts';

/** Bump when the same image is judged in another way. */
export const RESIDUE_VERSION = 3;

/** The body of `residue { … }` in an image file. */
export const residueSpec = bodySpec({
  allow: attr.stringMap('Secrets that may be in the image, such as `"var.user"`, each with the reason.', {
    default: {},
  }),
  allow_incomplete: attr.string(
    'Why it is fine that packed content of the image is larger than what is unpacked to be searched.',
  ),
});
