import type { Command } from 'commander';
import { ingotVersion } from '../../app/package-root.ts';
import { machineReadableLine } from '../../reporters/machine-readable.ts';
import { PACKER_VERSION } from '../../app/packer-version.ts';
import type { Cli } from '../cli.ts';
import { versionText } from '../program-name.ts';

export function configure(command: Command, cli: Cli): void {
  command.option('--json', 'print as JSON').action((flags: { json?: boolean }) => {
    const version = cli.name === 'packer' ? PACKER_VERSION : ingotVersion();
    if (cli.globals.machineReadable) {
      const put = (type: string, ...data: string[]): void =>
        void cli.io.stdout.write(machineReadableLine(Date.now() / 1000, '', type, data));
      put('version', version);
      // Packer's own spelling.
      put('version-prelease', '');
      put('version-commit', '');
      put('ui', 'say', versionText(cli.name, false));
    } else if (flags.json) cli.printJson({ version, node: process.versions.node });
    else cli.print(versionText(cli.name, false));
  });
}
