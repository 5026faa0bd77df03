import { type Command, Option } from 'commander';
import type { RenderReport } from '../../app/render.ts';
import { ExitCode, IngotError } from '../../core/error.ts';
import { diagnosticToJson } from '../../reporters/jsonl.ts';
import { renderDiagnostics } from '../../core/render-diagnostic.ts';
import type { Cli } from '../cli.ts';
import { table } from '../table.ts';
import { addExamples } from '../template-options.ts';

/** Versions of cloud-init whose schema lies in schema/cloud-init/. */
const VERSIONS = ['22.4.2'];
const PROVIDERS = ['aws', 'azure', 'gcp', 'hetzner', 'nocloud', 'openstack', 'vsphere'];

interface Flags {
  provider: string;
  userData: string[];
  vendorData: string[];
  metaData?: string;
  networkConfig?: string;
  set: string[];
  values: string[];
  image?: string;
  store?: string;
  cloudInit: string;
  output?: string;
  seed?: string;
  check?: boolean;
  json?: boolean;
}

const append = (value: string, before: string[]): string[] => [...before, value];

export function configure(command: Command, cli: Cli): void {
  command
    .argument('[folder]', 'folder of user-data, vendor-data, meta-data and network-config')
    .addOption(
      new Option('--provider <provider>', 'who launches the instance').choices(PROVIDERS).default('nocloud'),
    )
    .option('--user-data <file>', 'a part of user-data, or a folder of parts (may be repeated)', append, [])
    .option('--vendor-data <file>', 'a part of vendor-data (may be repeated)', append, [])
    .option('--meta-data <file>', 'meta-data')
    .option('--network-config <file>', 'network-config, version 1 or 2')
    .option('--set <name=value>', 'a value for ${name} in templates (may be repeated)', append, [])
    .option('--values <file>', 'YAML file of values (may be repeated)', append, [])
    .option('--image <image>', 'check against the cloud-init in this release, disk or folder')
    .option('--store <store>', 'where to look for the release: oci-layout:/path; default: your own')
    .addOption(
      new Option('--cloud-init <version>', 'check against this version, where there is no --image')
        .choices(VERSIONS)
        .default(VERSIONS[0]),
    )
    .option('-o, --output <dir>', 'folder to write to')
    .option('--seed <file>', 'write a NoCloud seed: *.iso, or vfat as *.img')
    .option('--check', 'only check; write nothing')
    .option('--json', 'print what was made, and the findings, as JSON')
    .action(async (folder: string | undefined, flags: Flags, self: Command) => {
      const asked = [...flags.userData, ...flags.vendorData, flags.metaData, flags.networkConfig];
      if (folder === undefined && asked.every((file) => file === undefined))
        self.error('error: name a folder, or files: --user-data web.yaml');
      const { render } = await import('../../app/render.ts');
      const { output, seed, image, store } = flags;
      const writes = flags.check !== true;
      const report = await cli.report({ json: flags.json }, (deps) =>
        render(
          {
            ...(folder !== undefined && { folder }),
            files: filesOf(flags),
            provider: flags.provider,
            set: flags.set,
            values: flags.values,
            cloudInit: flags.cloudInit,
            ...(image !== undefined && { image: { image, ...(store !== undefined && { store }) } }),
            ...(writes && output !== undefined && { output }),
            ...(writes && seed !== undefined && { seed }),
          },
          deps,
        ),
      );
      tell(report, flags, cli);
    });
  addExamples(
    command,
    ['ingot render cloud-init --set hostname=db1 --seed db1.iso', 'a seed for a virtual machine'],
    ['ingot render cloud-init --provider aws -o out', 'user-data for EC2, made to fit'],
    ['ingot render --user-data web.yaml --check --image web@1.2.0', "against the image's own cloud-init"],
    ['ingot render --user-data a.yaml --user-data b.sh > user-data', 'several parts as one MIME message'],
  );
}

function filesOf({ userData, vendorData, metaData, networkConfig }: Flags) {
  return {
    ...(userData.length > 0 && { 'user-data': userData }),
    ...(vendorData.length > 0 && { 'vendor-data': vendorData }),
    ...(metaData !== undefined && { 'meta-data': [metaData] }),
    ...(networkConfig !== undefined && { 'network-config': [networkConfig] }),
  };
}

/** Without a place to write to, standard output gets user-data itself. */
function tell({ files, diagnostics, sources, cloudInit }: RenderReport, flags: Flags, cli: Cli): void {
  const { stderr } = cli.io;
  if (flags.json) {
    const made = files.map(({ name, size, limit, squeeze }) => ({
      name,
      size,
      ...(limit !== undefined && { limit }),
      squeeze,
    }));
    return cli.printJson({
      provider: flags.provider,
      cloudInit,
      files: made,
      diagnostics: diagnostics.map(diagnosticToJson),
    });
  }
  stderr.write(renderDiagnostics(diagnostics, sources, cli.rendering(stderr)));
  const isWritten = flags.output !== undefined || flags.seed !== undefined || flags.check === true;
  const first = files.find(({ name }) => name === 'user-data') ?? files[0];
  if (!isWritten && first) {
    if (first.squeeze !== 'compressed') return cli.print(first.data.toString('utf8'));
    throw new IngotError('render/binary', 'user-data had to be compressed, and is no text', {
      hint: 'Name a folder to write to: -o out.',
      exitCode: ExitCode.Usage,
    });
  }
  const rows = files.map(({ name, size, limit, squeeze }) => [
    name,
    String(size),
    limit === undefined ? '' : String(limit),
    squeeze,
  ]);
  cli.print(table(['FILE', 'BYTES', 'LIMIT', ''], rows));
  cli.print(`checked against cloud-init ${cloudInit}`);
}
