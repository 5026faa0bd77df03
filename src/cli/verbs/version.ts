import type { Command } from 'commander';
import { ingotVersion } from '../../app/package-root.ts';
import { machineReadableLine } from '../../reporters/machine-readable.ts';
import type { Cli } from '../cli.ts';

export function configure(command: Command, cli: Cli): void {
  command.option('--json', 'print as JSON').action((flags: { json?: boolean }) => {
    const version = ingotVersion();
    if (cli.globals.machineReadable) {
      cli.io.stdout.write(machineReadableLine(Date.now() / 1000, '', 'version', [version]));
    } else if (flags.json) cli.printJson({ version, node: process.versions.node });
    else cli.print(`ingot ${version}`);
  });
}
