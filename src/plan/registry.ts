import { attr, bodySpec } from '../core/body-spec.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import { type BuildBlock, decodeBody, type EvalScope } from '../template/index.ts';

/** Packer's keys: developer.hashicorp.com/packer/docs/templates/hcl_templates/blocks/build/hcp_packer_registry. */
const registrySpec = bodySpec({
  bucket_name: attr.string('Bucket of the registry.'),
  description: attr.string('What the image is.'),
  labels: attr.stringMap('Labels of the bucket.', { deprecated: 'Use bucket_labels.' }),
  bucket_labels: attr.stringMap('Labels of the bucket.', { default: {} }),
  build_labels: attr.stringMap('Labels of the build.', { default: {} }),
  channels: attr.strings('Channels to move.'),
});

/**
 * `hcp_packer_registry` as annotations of outputs and release. HCP itself is not spoken to, which a warning tells.
 */
export function registryAnnotations(
  { registry }: BuildBlock,
  scope: EvalScope,
  diagnostics: Diagnostic[],
): Readonly<Record<string, string>> {
  if (!registry) return {};
  const { options, diagnostics: found } = decodeBody(registry, registrySpec, scope);
  diagnostics.push(...found);
  if (!options) return {};
  diagnostics.push({
    code: 'plan/hcp-registry',
    severity: 'warning',
    message:
      'nothing is sent to HCP: the description and labels of hcp_packer_registry become annotations of outputs and release',
    range: registry.range,
    hint: 'Releases of our own are asked for by a release block in the image file.',
  });
  const labels = { ...options.labels, ...options.bucket_labels, ...options.build_labels };
  return {
    ...(options.bucket_name !== undefined && { 'dev.ingot.bucket': options.bucket_name }),
    ...(options.description !== undefined && { 'org.opencontainers.image.description': options.description }),
    ...Object.fromEntries(Object.entries(labels).map(([key, value]) => [`dev.ingot.label.${key}`, value])),
  };
}
