import type { Command } from 'commander';
import { Option } from 'commander';
import type { Cli } from '../cli.ts';
import { addExamples } from '../template-options.ts';

interface Flags {
  format: 'spdx' | 'cyclonedx';
  store?: string;
}

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<image>', 'a release (name@version), a raw or qcow2 disk, or the folder of a root filesystem')
    .addOption(
      new Option('--format <format>', 'SPDX 2.3 or CycloneDX 1.6, both as JSON')
        .choices(['spdx', 'cyclonedx'])
        .default('spdx'),
    )
    .option('--store <store>', 'where to look for the release: oci-layout:/path; default: your own')
    .action(async (image: string, flags: Flags) => {
      const { sbom } = await import('../../app/sbom.ts');
      const { format, store } = flags;
      const text = await cli.report({ json: true }, (deps) =>
        sbom({ image, format, ...(store !== undefined && { store }) }, deps),
      );
      cli.print(text);
    });
  addExamples(
    command,
    ['ingot sbom web@1.0.0 > web.spdx.json', 'of a release'],
    ['ingot sbom disk.qcow2 --format cyclonedx', 'of any disk'],
  );
}
