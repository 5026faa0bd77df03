import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { addExamples } from '../template-options.ts';

export function configure(command: Command, cli: Cli): void {
  command
    .argument('[folder]', 'where to write it; made when it is not there', '.')
    .option('--json', 'print the written files as JSON')
    .action(async (folder: string, flags: { json?: boolean }) => {
      cli.json = flags.json ?? false;
      const { init } = await import('../../app/init.ts');
      const report = await init({ folder });
      if (flags.json) return cli.printJson(report);
      for (const file of report.files) cli.print(`wrote ${file}`);
      const where = folder === '.' ? '' : ` ${folder}`;
      cli.print(`\nNext:\n  ingot doctor\n  ingot validate${where}\n  ingot build${where}`);
    });
  addExamples(command, ['ingot init web', 'a web server: template, image file, site and hardening script']);
}
