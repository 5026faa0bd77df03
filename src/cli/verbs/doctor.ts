import type { Command } from 'commander';
import { ExitCode } from '../../core/error.ts';
import { styles } from '../../reporters/style.ts';
import type { Cli } from '../cli.ts';
import { addExamples } from '../template-options.ts';

export function configure(command: Command, cli: Cli): void {
  command.option('--json', 'print as JSON').action(async (flags: { json?: boolean }) => {
    cli.json = flags.json ?? false;
    const { doctor } = await import('../../app/doctor.ts');
    const report = await doctor(process.env);
    if (!report.ok) cli.exitCode = ExitCode.Failed;
    if (flags.json) return cli.printJson(report);
    const style = styles(cli.color(cli.io.stdout));
    const width = Math.max(...report.checks.map((check) => check.name.length));
    const marks = { good: style.green('✓'), note: style.yellow('!'), bad: style.red('✗') };
    for (const { name, status, detail, remedy } of report.checks) {
      cli.print(`${marks[status]} ${name.padEnd(width)}  ${style.dim(detail)}`);
      if (remedy !== undefined && status !== 'good') cli.print(`  ${' '.repeat(width)}  ${remedy}`);
    }
    if (report.install !== undefined) cli.print(`\nInstall what is missing, as root:\n  ${report.install}`);
    else if (report.ok) cli.print('\nThis machine can build images.');
  });
  addExamples(
    command,
    ['ingot doctor', 'what is here, what is missing, and the command that installs it'],
    ['ingot doctor --json', 'the same for a provisioning script'],
  );
}
