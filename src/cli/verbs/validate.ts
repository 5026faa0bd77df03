import type { Command } from 'commander';
import { hasErrors } from '../../core/diagnostic.ts';
import { DiagnosticsError } from '../../core/error.ts';
import { renderDiagnostics } from '../../core/render-diagnostic.ts';
import { diagnosticToJson } from '../../reporters/jsonl.ts';
import type { Cli } from '../cli.ts';
import { failureCode } from '../failure.ts';
import { addExamples, addTemplateOptions, templateArguments } from '../template-options.ts';

interface Flags {
  json?: boolean;
  syntaxOnly?: boolean;
  evaluateDatasources?: boolean;
  warnUndeclaredVar: boolean;
}

export function configure(command: Command, cli: Cli): void {
  addTemplateOptions(command)
    .option(
      '--syntax-only',
      'only whether the files can be read as a template, not what plugins and builds need',
    )
    .option('--evaluate-datasources', 'ask data sources, too; without it their values are unknown')
    .option(
      '--no-warn-undeclared-var',
      'say nothing of variables in files that the template does not declare',
    )
    .option('--json', 'print the findings as JSON')
    .action(async (path: string, flags: Flags) => {
      const { validate } = await import('../../app/validate.ts');
      const { diagnostics, sources } = await cli.report({ json: flags.json }, (deps) =>
        validate(
          {
            ...templateArguments(path, command, cli),
            syntaxOnly: flags.syntaxOnly ?? false,
            askData: flags.evaluateDatasources ?? false,
            warnUndeclared: flags.warnUndeclaredVar,
          },
          deps,
        ),
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
      stderr.write(renderDiagnostics(diagnostics, sources, cli.rendering(stderr)));
      cli.print('The configuration is valid.');
    });
  addExamples(
    command,
    ['ingot validate web.pkr.hcl', 'one template and its image file'],
    ['ingot validate -var suite=trixie .', 'a folder, with a variable'],
    ['ingot validate --json . | jq .diagnostics', 'findings for an editor'],
  );
}
