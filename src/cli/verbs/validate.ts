import type { Command } from 'commander';
import { hasErrors } from '../../core/diagnostic.ts';
import { DiagnosticsError } from '../../core/error.ts';
import { renderDiagnostics } from '../../core/render-diagnostic.ts';
import { diagnosticToJson } from '../../reporters/jsonl.ts';
import type { Cli } from '../cli.ts';
import { failureCode } from '../failure.ts';
import { addExamples, addTemplateOptions, templateArguments } from '../template-options.ts';

export function configure(command: Command, cli: Cli): void {
  addTemplateOptions(command)
    .option(
      '--syntax-only',
      'accepted for Packer; the whole template is checked all the same, without a network',
    )
    .option('--json', 'print the findings as JSON')
    .action(async (path: string, flags: { json?: boolean }) => {
      const { validate } = await import('../../app/validate.ts');
      const { diagnostics, sources } = await cli.report({ json: flags.json }, (deps) =>
        validate(templateArguments(path, command), deps),
      );
      cli.addSources(sources);
      const valid = !hasErrors(diagnostics);
      if (flags.json) {
        cli.printJson({ valid, diagnostics: diagnostics.map(diagnosticToJson) });
        if (!valid) cli.exitCode = failureCode(diagnostics);
        return;
      }
      if (!valid) throw new DiagnosticsError(diagnostics, failureCode(diagnostics));
      const { stderr } = cli.io;
      stderr.write(renderDiagnostics(diagnostics, sources, { color: cli.color(stderr), width: cli.width }));
      cli.print('The configuration is valid.');
    });
  addExamples(
    command,
    ['ingot validate web.pkr.hcl', 'one template and its image file'],
    ['ingot validate -var suite=trixie .', 'a folder, with a variable'],
    ['ingot validate --json . | jq .diagnostics', 'findings for an editor'],
  );
}
