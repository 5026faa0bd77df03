import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { addExamples } from '../template-options.ts';

export function configure(command: Command, cli: Cli): void {
  command
    .option('--all', 'also delete the caches; releases stay')
    .option('--json', 'print what was recovered as JSON')
    .action(async (flags: { all?: boolean; json?: boolean }) => {
      const { clean } = await import('../../app/clean.ts');
      const report = await cli.report({ json: flags.json }, (deps) =>
        clean({ all: flags.all ?? false }, deps),
      );
      if (flags.json) return cli.printJson(report);
      for (const { kind, target } of report.recovered) cli.print(`recovered ${kind} ${target}`);
      if (report.removedCache) cli.print('caches deleted');
      if (report.recovered.length === 0) cli.print('nothing was left behind');
    });
  addExamples(
    command,
    ['ingot clean', 'take down the mounts, containers and machines of killed builds'],
    ['ingot clean --all', 'and delete the caches: the next build starts from nothing'],
  );
}
