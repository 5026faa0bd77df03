import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { ExitCode } from '../../core/error.ts';
import type { Cli } from '../cli.ts';
import { addExamples } from '../template-options.ts';

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<template>', 'legacy JSON template, or - for standard input')
    .option('--output-file <file>', 'file to write; default: TEMPLATE.pkr.hcl; -: standard output alone')
    .option('--with-annotations', 'comments that say what the blocks are')
    .action(async (path: string, flags: { outputFile?: string; withAnnotations?: boolean }) => {
      const { hcl2Upgrade } = await import('../../app/hcl2-upgrade.ts');
      const upgraded = await hcl2Upgrade({
        path,
        stdin: () => text(cli.io.stdin),
        withAnnotations: flags.withAnnotations ?? false,
        ...(flags.outputFile !== undefined && { outputFile: flags.outputFile }),
      });
      const { stdout, stderr } = cli.io;
      // Into a pipe goes the text itself; a person wants to know where it is.
      const named = flags.outputFile !== undefined && flags.outputFile !== '-';
      if (!named && !stdout.isTTY) stdout.write(upgraded.text);
      if (upgraded.file !== undefined) stderr.write(`Successfully created ${upgraded.file}.\n`);
      if (upgraded.unknownBuilders.length > 0) {
        stderr.write(`No plugin is known for the builders: ${upgraded.unknownBuilders.join(', ')}.\n`);
        cli.exitCode = ExitCode.Failed;
      }
    });
  addExamples(
    command,
    ['ingot hcl2_upgrade old.json', 'writes old.json.pkr.hcl'],
    ['ingot hcl2_upgrade -output-file=new.pkr.hcl old.json', 'writes new.pkr.hcl'],
    ['ingot hcl2_upgrade -with-annotations - < old.json', 'from a pipe into one'],
  );
}
