import type { Command } from 'commander';
import { ExitCode } from '../../core/error.ts';
import type { Cli } from '../cli.ts';
import { addExecOptions, type ExecFlags, runExecVerb } from '../exec-options.ts';
import { addGossOptions, type GossFlags, runGossVerb } from '../goss-options.ts';
import { writeEvidencePage, writeReportFile } from '../report-file.ts';
import { addExamples, addTemplateOptions, templateArguments } from '../template-options.ts';

interface Flags extends GossFlags, ExecFlags {
  locked?: boolean;
  junit?: string;
  report?: string;
}

export function configure(command: Command, cli: Cli): void {
  addExecOptions(addGossOptions(addTemplateOptions(command)))
    .option('--locked', 'fail where the lock would have to change')
    .option('--junit <file>', 'write the results as JUnit XML')
    .option('--report <file>', 'write what was proven as one HTML page')
    .option('--json', 'print the report as JSON; progress goes to standard error')
    .action(async (path: string, names: string[], flags: Flags) => {
      if (await runExecVerb(path, flags, cli)) return;
      if (await runGossVerb(path, names, flags, cli)) return;
      const { runTests } = await import('../../app/test.ts');
      const options = { ...templateArguments(path, command, cli), locked: flags.locked ?? false };
      const report = await writeEvidencePage(flags.report, (use) =>
        writeReportFile(flags.junit, (junit) =>
          cli.report({ onStdout: true, json: flags.json, junit }, (deps) =>
            runTests({ ...options, ...use }, deps),
          ),
        ),
      );
      if (!report.ok) cli.exitCode = ExitCode.Failed;
      if (flags.json) return cli.printJson(report);
      if (cli.globals.machineReadable) return;
      const { renderSummary } = await import('../../reporters/summary.ts');
      cli.print(renderSummary(report.images, { color: cli.color(cli.io.stdout) }));
    });
  addExamples(
    command,
    ['ingot test', 'run the tests of the image in this folder again'],
    ['ingot test --junit results.xml .', 'for a CI system'],
    ['ingot test web.qcow2 --goss goss.yaml', 'any disk image, with a goss file'],
    ['ingot test web.qcow2 --goss goss.yaml --mutate', 'which changes of the image do its tests not notice?'],
    ["ingot test web.qcow2 --exec 'go test ./...' --port 80", 'your own tests, against a booted copy'],
    ['ingot test web.qcow2 --add file /etc/nginx/nginx.conf', 'begin a goss file from what is there'],
  );
}
