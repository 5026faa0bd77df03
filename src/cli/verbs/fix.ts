import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { hasErrors } from '../../core/diagnostic.ts';
import { DiagnosticsError } from '../../core/error.ts';
import type { Cli } from '../cli.ts';
import { addExamples } from '../template-options.ts';

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<template>', 'legacy JSON template, or - for standard input')
    .option('--no-validate', 'do not check the fixed template')
    .action(async (path: string, flags: { validate: boolean }) => {
      const { fix } = await import('../../app/fix.ts');
      const options = { path, stdin: () => text(cli.io.stdin), validate: flags.validate };
      const fixed = await cli.report({}, (deps) => fix(options, deps));
      cli.addSources(fixed.sources);
      if (hasErrors(fixed.diagnostics)) throw new DiagnosticsError(fixed.diagnostics);
      cli.io.stdout.write(fixed.text);
    });
  addExamples(
    command,
    ['ingot fix old.json > new.json', 'old names of settings and types as they are today'],
    ['ingot fix -validate=false - < old.json', 'without checking what comes out'],
  );
}
