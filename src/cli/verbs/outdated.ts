import type { Command } from 'commander';
import { styles } from '../../reporters/style.ts';
import type { Cli } from '../cli.ts';
import { addExamples, addTemplateOptions, templateArguments } from '../template-options.ts';

export function configure(command: Command, cli: Cli): void {
  addTemplateOptions(command)
    .option('--json', 'print as JSON')
    .action(async (path: string, flags: { json?: boolean }) => {
      const { outdated } = await import('../../app/update.ts');
      const report = await cli.report({ json: flags.json }, (deps) =>
        outdated(templateArguments(path, command, cli), deps),
      );
      if (flags.json) return cli.printJson(report);
      const style = styles(cli.color(cli.io.stdout));
      for (const { build, inputs } of report.images) {
        if (inputs.length === 0) {
          cli.print(`${style.bold(build)} is up to date`);
          continue;
        }
        const security = inputs.filter((input) => input.security).length;
        cli.print(`${style.bold(build)} misses ${inputs.length} updates, ${security} of them for security`);
        for (const { name, locked, available, security: urgent } of inputs) {
          cli.print(`  ${name} ${locked} → ${available}${urgent ? style.red('  security') : ''}`);
        }
      }
      if (report.images.some((image) => image.inputs.length > 0))
        cli.print('\nRun `ingot update` to move the lock.');
    });
  addExamples(
    command,
    ['ingot outdated', 'what the image in this folder misses'],
    ['ingot outdated --json . | jq ".images[].inputs[] | select(.security)"', 'security updates alone'],
  );
}
