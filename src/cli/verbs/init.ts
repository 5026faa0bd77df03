import { readdir, stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { ExitCode } from '../../core/error.ts';
import type { Cli } from '../cli.ts';
import { requiredPluginsText } from '../required-plugins-text.ts';
import { addExamples } from '../template-options.ts';

export function configure(command: Command, cli: Cli): void {
  command
    .argument(
      '[folder]',
      'new folder for the example; or a template, to look at the plugins it requires',
      '.',
    )
    .option('--upgrade', 'accepted for Packer; what is built in has no versions of its own')
    .option('--json', 'print the written files, or the plugins, as JSON')
    .action(async (path: string, flags: { json?: boolean }) => {
      cli.json = flags.json ?? false;
      await ((await isTemplate(path)) ? plugins(path, cli) : example(path, cli));
    });
  addExamples(
    command,
    ['ingot init web', 'a web server: template, image file, site and hardening script'],
    ['ingot init web.pkr.hcl', "which of a template's required_plugins are built in"],
  );
}

/** A file, or a folder with templates in it; Packer's `init` reads those. */
async function isTemplate(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (!found?.isDirectory()) return found !== undefined || /\.pkr\.(hcl|json)$/.test(path);
  return (await readdir(path)).some((name) => /\.pkr\.(hcl|json)$/.test(name));
}

/** Exit code 1 where a plugin is not here at all: the template can't be built. */
async function plugins(path: string, cli: Cli): Promise<void> {
  const { requiredPlugins } = await import('../../app/plugins.ts');
  const found = await requiredPlugins({ path });
  if (found.some(({ builtIn }) => builtIn.length === 0)) cli.exitCode = ExitCode.Failed;
  if (cli.json) cli.printJson(found);
  else cli.print(requiredPluginsText(found));
}

async function example(folder: string, cli: Cli): Promise<void> {
  const { init } = await import('../../app/init.ts');
  const report = await init({ folder });
  if (cli.json) return cli.printJson(report);
  for (const file of report.files) cli.print(`wrote ${file}`);
  const where = folder === '.' ? '' : ` ${folder}`;
  cli.print(`\nNext:\n  ingot doctor\n  ingot validate${where}\n  ingot build${where}`);
}
