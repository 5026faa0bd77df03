import type { Command } from 'commander';
import { DiagnosticsError } from '../../core/error.ts';
import { renderDiagnostics } from '../../core/render-diagnostic.ts';
import { formatBytes, shortDigest } from '../../reporters/quantities.ts';
import { styles } from '../../reporters/style.ts';
import type { Cli } from '../cli.ts';
import { failureCode } from '../failure.ts';
import { addExamples, addTemplateOptions, templateArguments } from '../template-options.ts';

export function configure(command: Command, cli: Cli): void {
  addTemplateOptions(command)
    .option('--locked', 'fail where the lock would have to change')
    .option('--json', 'print the plan as JSON: every step with its digest and what it depends on')
    .action(async (path: string, flags: { json?: boolean; locked?: boolean }) => {
      const { planBuild, planToJson } = await import('../../app/plan.ts');
      const { plan, diagnostics, sources } = await cli.report({ json: flags.json }, (deps) =>
        planBuild({ ...templateArguments(path, command, cli), locked: flags.locked ?? false }, deps),
      );
      cli.addSources(sources);
      if (!plan) throw new DiagnosticsError(diagnostics, failureCode(diagnostics));
      const { stderr, stdout } = cli.io;
      stderr.write(renderDiagnostics(diagnostics, sources, cli.rendering(stderr)));
      if (flags.json) return cli.printJson(planToJson(plan));
      const style = styles(cli.color(stdout));
      for (const image of plan.images) {
        const { memory, cpus } = image.needs;
        const needs =
          cpus === 0 ? '' : `, takes ${formatBytes(memory)} and ${cpus} CPU${cpus === 1 ? '' : 's'}`;
        cli.print(`${style.bold(image.name)} ${image.version}  ${style.dim(image.build + needs)}`);
        for (const step of image.steps) {
          const why =
            step.volatile === undefined ? '' : style.yellow(`  may differ from run to run: ${step.volatile}`);
          const always = step.cacheable ? '' : style.dim('  runs every time');
          const late = step.late ? style.dim('  runs again where the build has made its files anew') : '';
          cli.print(`  ${style.dim(shortDigest(step.id))}  ${step.title}${always}${late}${why}`);
        }
      }
    });
  addExamples(
    command,
    ['ingot plan web.pkr.hcl', 'the steps, in order'],
    ['ingot plan --json . > plan.json', 'the same as data: a change of a digest shows in review'],
  );
}
