import type { Command } from 'commander';
import { styles } from '../../reporters/style.ts';
import type { Cli } from '../cli.ts';
import { addExamples, addTemplateOptions, templateArguments } from '../template-options.ts';

export function configure(command: Command, cli: Cli): void {
  addTemplateOptions(command)
    .option('--dry-run', 'show what would move, and write nothing')
    .option('--json', 'print what moved as JSON')
    .action(async (path: string, flags: { dryRun?: boolean; json?: boolean }) => {
      const { update } = await import('../../app/update.ts');
      const report = await cli.report({ json: flags.json }, (deps) =>
        update({ ...templateArguments(path, command, cli), dryRun: flags.dryRun ?? false }, deps),
      );
      if (flags.json) return cli.printJson(report);
      if (!report.changed) return cli.print(`${report.lockPath} is up to date`);
      const style = styles(cli.color(cli.io.stdout));
      for (const { entry, name, from, to } of report.moves) {
        const change =
          from === undefined
            ? style.green(`added ${to}`)
            : to === undefined
              ? style.red(`removed ${from}`)
              : `${from} → ${style.bold(to)}`;
        cli.print(`${style.dim(entry)} ${name} ${change}`);
      }
      cli.print(flags.dryRun ? `${report.lockPath} would change` : `${report.lockPath} written`);
    });
  addExamples(
    command,
    ['ingot update', 'resolve every input anew and write the lock'],
    ['ingot update --dry-run .', 'what would change'],
  );
}
