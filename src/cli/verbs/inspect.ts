import type { Command } from 'commander';
import { hasErrors } from '../../core/diagnostic.ts';
import { DiagnosticsError } from '../../core/error.ts';
import { machineReadableLine } from '../../reporters/machine-readable.ts';
import type { Cli } from '../cli.ts';
import { addExamples, addTemplateOptions, templateArguments } from '../template-options.ts';

export function configure(command: Command, cli: Cli): void {
  addTemplateOptions(command).action(async (path: string) => {
    const { inspect } = await import('../../app/inspect.ts');
    const { said, diagnostics, sources } = await inspect(templateArguments(path, command, cli));
    cli.addSources(sources);
    if (hasErrors(diagnostics)) throw new DiagnosticsError(diagnostics);
    const now = Date.now() / 1000;
    for (const one of said) {
      const line = 'text' in one ? { type: 'ui', data: ['say', one.text] } : one;
      if (cli.globals.machineReadable)
        cli.io.stdout.write(machineReadableLine(now, '', line.type, line.data));
      else if ('text' in one) cli.io.stdout.write(`${one.text}\n`);
    }
  });
  addExamples(
    command,
    ['ingot inspect web.pkr.hcl', 'variables, locals and builds of a template'],
    ['ingot inspect -var suite=trixie .', 'with a variable'],
    ['ingot inspect -machine-readable old.json', 'a legacy template, for a program'],
  );
}
