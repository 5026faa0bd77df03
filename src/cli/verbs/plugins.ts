import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { requiredPluginsText } from '../required-plugins-text.ts';
import { addExamples } from '../template-options.ts';

export function configure(command: Command, cli: Cli): void {
  command
    .command('installed')
    .description('list the component types that are built in')
    .option('--json', 'print as JSON')
    .action(async (flags: { json?: boolean }) => {
      const { builtInTypes } = await import('../../app/plugins.ts');
      const types = builtInTypes();
      if (flags.json) return cli.printJson(types);
      for (const [kind, names] of Object.entries(types)) cli.print(`${kind}: ${names.join(', ')}`);
    });
  command
    .command('required')
    .description('list the plugins that a template requires')
    .argument('[template]', 'template file or folder', '.')
    .option('--json', 'print as JSON')
    .action(async (path: string, flags: { json?: boolean }) => {
      const { requiredPlugins } = await import('../../app/plugins.ts');
      const plugins = await requiredPlugins({ path });
      if (flags.json) return cli.printJson(plugins);
      cli.print(requiredPluginsText(plugins));
    });
  addExamples(
    command,
    ['ingot plugins installed', 'what templates can use'],
    ['ingot plugins required web.pkr.hcl', 'what of the required_plugins is here'],
  );
}
