import { type Command, Option } from 'commander';
import { ExitCode } from '../../core/error.ts';
import type { Cli } from '../cli.ts';
import { optionWithDefault, parseAge, parseSize, wholeNumber } from '../flag-values.ts';
import { writeWholeReport } from '../report-file.ts';
import { addExamples } from '../template-options.ts';

interface Flags {
  firmware: 'bios' | 'uefi';
  memory: number;
  cpus: number;
  store?: string;
  persist?: string;
  sshKey?: string;
  seed?: string;
  waitReady?: boolean;
  json?: boolean;
  report?: string;
  timeout: number;
}

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<image>', 'name@version of a release, or the path of a disk')
    .addOption(new Option('--firmware <firmware>', 'how it boots').choices(['bios', 'uefi']).default('uefi'))
    .addOption(optionWithDefault('--memory <size>', 'memory of the machine', parseSize, '1G'))
    .option('--cpus <n>', 'processors of the machine', wholeNumber(1), 2)
    .option('--store <store>', 'where to look for the release: oci-layout:/path; default: your own')
    .option('--persist <file>', 'keep what the machine writes in this file, and go on from it the next time')
    .option('--ssh-key <file>', 'public key that may log in as the default user; the image needs cloud-init')
    .addOption(
      new Option(
        '--seed <file>',
        'NoCloud seed for its first boot, as `ingot render --seed` writes it',
      ).conflicts('sshKey'),
    )
    .option('--wait-ready', 'wait until it says that it is ready or not, and end it; exit code 0 or 1')
    .addOption(
      new Option(
        '--json',
        'print the outcome of --wait-ready, and the seconds of each stage, as JSON',
      ).implies({
        waitReady: true,
      }),
    )
    .addOption(
      new Option('--report <file>', 'draw the stages of --wait-ready as an HTML page').implies({
        waitReady: true,
      }),
    )
    .addOption(optionWithDefault('--timeout <age>', 'longest wait of --wait-ready', parseAge, '10m'))
    .action(async (image: string, { waitReady, timeout, json, report, ...flags }: Flags) => {
      const { boot } = await import('../../app/boot.ts');
      const options = { image, ...flags, ...(waitReady && { waitReadyMs: timeout }) };
      const outcome = await cli.report({ lines: true, json }, (deps) => boot(options, deps));
      if (!outcome) return;
      cli.exitCode = outcome.ready ? ExitCode.Done : ExitCode.Failed;
      if (report !== undefined) {
        const { bootPage } = await import('../../reporters/html/boot-page.ts');
        writeWholeReport(report, bootPage(image, [{ name: 'this copy', ...outcome }]));
      }
      if (json) return cli.printJson(outcome);
      for (const { name, seconds } of outcome.stages) cli.print(row(name, seconds));
      if (outcome.ready) cli.print(row('ready', outcome.seconds));
    });
  command.addHelpText(
    'after',
    '\nThe image itself stays as it is. Leave the console with Ctrl-A x. Port 22 is reached at the address that is told.\n',
  );
  addExamples(
    command,
    ['ingot boot web@1.2.0', 'a throwaway copy, at its console'],
    ['ingot boot --ssh-key ~/.ssh/id_ed25519.pub web@dev', 'log in by ssh, too'],
    ['ingot boot --persist web.overlay web@1.2.0', 'with a disk that remembers'],
    ['ingot boot --wait-ready --seed db1.img db@1.2.0', 'does it become ready with this launch-time data?'],
    ['ingot boot --firmware bios output-web/web.qcow2', 'a disk by its path'],
  );
}

/** A stage of the start, and how long it took. */
function row(name: string, seconds: number): string {
  return `${name.padEnd(24)}${seconds.toFixed(1).padStart(6)} s`;
}
