import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { ExitCode } from '../../core/error.ts';
import type { Cli } from '../cli.ts';
import { addExamples } from '../template-options.ts';

interface Flags {
  check?: boolean;
  diff?: boolean;
  write: boolean;
  recursive?: boolean;
}

export function configure(command: Command, cli: Cli): void {
  command
    .argument('[path]', 'file, folder, or - for standard input', '.')
    .option('--check', 'write nothing; exit code 3 where a file is not in the canonical style')
    .option('--diff', 'show what changes')
    .option('--no-write', 'write nothing')
    .option('--recursive', 'also in the folders of the folder')
    .action(async (path: string, flags: Flags) => {
      const { fmt, formatText } = await import('../../app/fmt.ts');
      if (path === '-') {
        const before = await text(cli.io.stdin);
        const after = formatText(before, 'standard input');
        if (flags.check && before !== after) cli.exitCode = ExitCode.Unformatted;
        if (!flags.check) cli.io.stdout.write(after);
        return;
      }
      const write = flags.write && !flags.check;
      const changed = await fmt({ path, recursive: flags.recursive ?? false, write });
      for (const file of changed) {
        cli.print(file.path);
        if (flags.diff) cli.print(file.diff);
      }
      if (flags.check && changed.length > 0) cli.exitCode = ExitCode.Unformatted;
    });
  addExamples(
    command,
    ['ingot fmt', 'rewrite the files of this folder'],
    ['ingot fmt -check -diff -recursive .', 'in CI: exit code 3 and a diff where something would change'],
    ['ingot fmt - < web.pkr.hcl', 'from an editor'],
  );
}
