import { bootTestSpec } from '../checks/boot/spec.ts';
import { execTestSpec } from '../checks/exec.ts';
import { gossTestSpec } from '../checks/goss/spec.ts';
import { sha256 } from '../core/digest.ts';
import type { DataSource, PostProcessor, Provisioner, Source } from '../core/plugin.ts';
import { httpData } from '../data-sources/http.ts';
import { nullData } from '../data-sources/null.ts';
import { outputFormats } from '../disk/formats/index.ts';
import { BOOT_CONFIG_VERSION, DISK_VERSION, diskSpec } from '../disk/spec.ts';
import { FIRST_BOOT_VERSION, firstBootSpec } from '../firstboot/spec.ts';
import { firstBootFiles } from '../firstboot/files.ts';
import type { Catalog, FormatInfo, TestInfo } from '../plan/catalog.ts';
import { artificePostProcessor } from '../post-processors/artifice.ts';
import { checksumPostProcessor } from '../post-processors/checksum.ts';
import { compressPostProcessor } from '../post-processors/compress.ts';
import { dockerImportPostProcessor } from '../post-processors/docker-import.ts';
import { dockerPushPostProcessor } from '../post-processors/docker-push.ts';
import { dockerSavePostProcessor } from '../post-processors/docker-save.ts';
import { dockerTagPostProcessor } from '../post-processors/docker-tag.ts';
import { manifestPostProcessor } from '../post-processors/manifest.ts';
import { shellLocalPostProcessor } from '../post-processors/shell-local.ts';
import { ansibleProvisioner } from '../provisioners/ansible.ts';
import { ansibleLocalProvisioner } from '../provisioners/ansible-local.ts';
import { breakpointProvisioner } from '../provisioners/breakpoint.ts';
import { fileProvisioner } from '../provisioners/file.ts';
import { saltMasterlessProvisioner } from '../provisioners/salt-masterless.ts';
import { shellProvisioner } from '../provisioners/shell.ts';
import { shellLocalProvisioner } from '../provisioners/shell-local.ts';
import { sleepProvisioner } from '../provisioners/sleep.ts';
import { policyInfo } from './policy-info.ts';
import { releaseSpec } from '../release/spec.ts';
import { PATTERNS_VERSION, patternFiles, patternsSpec } from '../scan/patterns/spec.ts';
import { RESIDUE_VERSION, residueSpec } from '../scan/residue/spec.ts';
import { sbomFormats } from '../scan/sbom/formats.ts';
import { vulnerabilitySpec } from '../scan/vulnerabilities/spec.ts';
import { SEAL_VERSION, sealSpec } from '../seal/index.ts';
import { dockerfileSource } from '../sources/dockerfile.ts';
import { fileSource } from '../sources/file.ts';
import { dockerSource } from '../sources/docker.ts';
import { ingotSource } from '../sources/ingot.ts';
import { nullSource } from '../sources/null.ts';
import { ociSource } from '../sources/oci.ts';
import { mmdebstrapSource } from '../sources/mmdebstrap.ts';
import { qemuSource } from '../sources/qemu.ts';
import { readAgent } from './agent-file.ts';
import { STAMP_VERSION, stampAnnotations } from '../stamp/index.ts';

const sources: readonly Source<never>[] = [
  mmdebstrapSource as unknown as Source<never>,
  qemuSource as unknown as Source<never>,
  nullSource as unknown as Source<never>,
  fileSource as unknown as Source<never>,
  ociSource as unknown as Source<never>,
  ingotSource as unknown as Source<never>,
  dockerSource as unknown as Source<never>,
  dockerfileSource as unknown as Source<never>,
];
const provisioners: readonly Provisioner<never>[] = [
  shellProvisioner,
  fileProvisioner,
  shellLocalProvisioner,
  breakpointProvisioner,
  ansibleProvisioner,
  ansibleLocalProvisioner,
  saltMasterlessProvisioner,
  sleepProvisioner,
];
const postProcessors: readonly PostProcessor<never>[] = [
  manifestPostProcessor,
  checksumPostProcessor,
  compressPostProcessor,
  artificePostProcessor,
  shellLocalPostProcessor,
  dockerImportPostProcessor,
  dockerPushPostProcessor,
  dockerSavePostProcessor,
  dockerTagPostProcessor,
];
const dataSources: readonly DataSource<never>[] = [httpData, nullData];

const tests = byType<TestInfo>([
  { type: 'boot', version: 2, spec: bootTestSpec, input: 'disk' },
  { type: 'vulnerabilities', version: 1, spec: vulnerabilitySpec, input: 'rootfs', files: () => undefined },
  {
    type: 'goss',
    version: 1,
    spec: gossTestSpec,
    input: 'disk',
    files: async (o, dir) => (await import('../checks/goss/test-files.ts')).gossTestFiles(o, dir),
  },
  // What a command of the user's reads cannot be told.
  { type: 'exec', version: 1, spec: execTestSpec, input: 'disk', files: () => undefined },
  { type: 'secrets', version: PATTERNS_VERSION, spec: patternsSpec, input: 'rootfs', files: patternFiles },
]);

/** Every plugin that Ingot has. Adding one is a line here, a file in its folder, a test and a page of docs. */
export const catalog: Catalog = {
  sources: byType(sources),
  provisioners: byType(provisioners),
  postProcessors: byType(postProcessors),
  dataSources: byType(dataSources),
  formats: byType<FormatInfo>([...outputFormats, ...sbomFormats]),
  tests,
  disk: { version: DISK_VERSION, spec: diskSpec },
  seal: { version: SEAL_VERSION, spec: sealSpec },
  release: { version: 1, spec: releaseSpec },
  residue: { version: RESIDUE_VERSION, spec: residueSpec },
  policy: policyInfo(
    [...tests.keys()],
    sbomFormats.map(({ type }) => type),
  ),
  stamp: { version: STAMP_VERSION, annotations: stampAnnotations },
  firstBoot: {
    version: FIRST_BOOT_VERSION,
    spec: firstBootSpec,
    files: firstBootFiles,
    agent: () => sha256(readAgent()),
  },
  bootConfig: { version: BOOT_CONFIG_VERSION },
};

function byType<P extends { readonly type: string }>(plugins: readonly P[]): ReadonlyMap<string, P> {
  return new Map(plugins.map((p) => [p.type, p]));
}
