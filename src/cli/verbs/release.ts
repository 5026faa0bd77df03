import type { Command } from 'commander';
import { formatBytes, shortDigest } from '../../reporters/quantities.ts';
import type { Cli } from '../cli.ts';
import { table } from '../table.ts';
import { addExamples } from '../template-options.ts';

interface Flags {
  store?: string;
  json?: boolean;
  quiet?: boolean;
}

export function configure(command: Command, cli: Cli): void {
  command
    .command('list')
    .description('releases of an image, or of all; the newest first')
    .argument('[image]', 'name of the image')
    .option('--store <store>', 'where to look: oci-layout:/path; default: your own')
    .option('--json', 'print as JSON')
    .option('-q, --quiet', 'print names only: name@version and name@channel, one a line')
    .action(async (name: string | undefined, flags: Flags) => {
      const { listReleases } = await import('../../app/release.ts');
      const releases = await cli.report({ json: flags.json }, (deps) =>
        listReleases({ ...(name !== undefined && { name }), ...storeOf(flags) }, deps),
      );
      if (flags.json) return cli.printJson(releases);
      if (flags.quiet) return namesOf(releases).forEach((line) => cli.print(line));
      if (releases.length === 0) return cli.print('there are no releases');
      const rows = releases.map((release) => [
        release.name,
        release.version,
        shortDigest(release.digest),
        release.outputs.map((output) => output.format).join(', '),
        release.channels.join(', '),
      ]);
      cli.print(table(['IMAGE', 'VERSION', 'DIGEST', 'OUTPUTS', 'CHANNELS'], rows));
    });
  command
    .command('show')
    .description('all that is known of one release')
    .argument('<release>', 'name@version, name@channel, name@digest, or name for its newest')
    .option('--store <store>', 'where to look: oci-layout:/path; default: your own')
    .option('--json', 'print as JSON')
    .action(async (reference: string, flags: Flags) => {
      const { showRelease } = await import('../../app/release.ts');
      const release = await cli.report({ json: flags.json }, (deps) =>
        showRelease({ reference, ...storeOf(flags) }, deps),
      );
      if (flags.json) return cli.printJson(release);
      cli.print(`${release.name}@${release.version}\n${release.digest}\n`);
      const rows = release.outputs.map((output) => [
        output.format,
        formatBytes(output.size),
        output.digest,
        output.file,
      ]);
      cli.print(table(['OUTPUT', 'SIZE', 'DIGEST', 'FILE'], rows));
      cli.print('');
      for (const [key, value] of Object.entries(release.annotations)) cli.print(`${key}: ${value}`);
      for (const { title, content } of release.evidence) cli.print(`evidence ${title}: ${content.digest}`);
    });
  addExamples(
    command,
    ['ingot release list', 'every release in your store'],
    ['ingot release list --quiet', 'their names alone, for scripts'],
    ['ingot release list web --json', 'those of one image, for a program'],
    ['ingot release show web@1.2.0', 'outputs with digests, commit, lock, evidence'],
  );
}

interface Named {
  readonly name: string;
  readonly version: string;
  readonly channels: readonly string[];
}

/** What the releases are called, versions before channels. */
function namesOf(releases: readonly Named[]): string[] {
  const names = releases.flatMap(({ name, version, channels }) =>
    [version, ...channels].map((of) => `${name}@${of}`),
  );
  return [...new Set(names)];
}

function storeOf(flags: Flags): { store?: string } {
  return flags.store === undefined ? {} : { store: flags.store };
}
