import type { BuildBlock } from '../template/index.ts';

/** What a build's `hcp_packer_registry` says, as annotations of outputs and release. */
export function registryAnnotations({ registry }: BuildBlock): Readonly<Record<string, string>> {
  if (!registry) return {};
  const { bucketName, description, labels } = registry;
  return {
    ...(bucketName !== undefined && { 'dev.ingot.bucket': bucketName }),
    ...(description !== undefined && { 'org.opencontainers.image.description': description }),
    ...Object.fromEntries([...labels].map(([key, value]) => [`dev.ingot.label.${key}`, value])),
  };
}
