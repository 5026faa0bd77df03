import { IngotError } from '../../core/error.ts';
import { type ImageReference, parseImageReference } from '../../store/registry/reference.ts';

/** Where an image is said to be. */
export type ImageLocation =
  | { readonly kind: 'registry'; readonly reference: ImageReference }
  | { readonly kind: 'layout' | 'archive'; readonly path: string; readonly ref?: string };

/**
 * `docker://host/repository:tag` (or `…@sha256:…`), `oci:/folder[:ref]`, `oci-archive:/file.tar[:ref]`, as skopeo and
 * podman write them (containers-transports(5)). Throws `disk/bad-image`, `store/bad-reference`.
 */
export function parseImageLocation(text: string): ImageLocation {
  if (text.startsWith('docker://'))
    return { kind: 'registry', reference: parseImageReference(text.slice('docker://'.length)) };
  const match = /^(oci|oci-archive):([^:]+)(?::(.+))?$/s.exec(text);
  if (!match?.[2])
    throw new IngotError('disk/bad-image', `"${text.slice(0, 200)}" is no place of an image`, {
      hint: 'Write docker://host/repository:tag, oci:/folder[:ref] or oci-archive:/file.tar[:ref].',
    });
  const kind = match[1] === 'oci' ? 'layout' : 'archive';
  return { kind, path: match[2], ...(match[3] !== undefined && { ref: match[3] }) };
}
