import { type Command, Option } from 'commander';
import type { BuildReport } from '../../app/build.ts';
import type { ReproducibilityReport } from '../../app/verify-reproducible.ts';
import { ExitCode } from '../../core/error.ts';
import { type Engine, ENGINES } from '../../core/plugin.ts';
import type { Cli } from '../cli.ts';
import { parseSize, wholeNumber } from '../flag-values.ts';
import { askBeforeStep, askOnError } from '../ask.ts';
import { nextCommands } from '../next-commands.ts';
import { writeEvidencePage, writeReportFile } from '../report-file.ts';
import { addExamples, addTemplateOptions, templateArguments } from '../template-options.ts';

type Report = BuildReport | ReproducibilityReport;

interface Flags {
  onError: 'cleanup' | 'abort' | 'ask' | 'run-cleanup-provisioner';
  force?: boolean;
  parallelBuilds: number;
  maxMemory?: number;
  maxCpus?: number;
  outputDir?: string;
  engine?: Engine;
  locked?: boolean;
  verifyReproducible?: boolean;
  timestampUi?: boolean;
  warnOnUndeclaredVar?: boolean;
  junit?: string;
  report?: string;
  events?: string;
  json?: boolean;
}

/** What was built although other images failed. */
async function tellBuilt(images: Report['images'], flags: Flags, cli: Cli): Promise<void> {
  cli.partial = { images };
  if (images.length > 0 && !flags.json && !cli.globals.machineReadable) await printSummary(images, cli);
}

async function printSummary(images: Report['images'], cli: Cli): Promise<void> {
  const { renderSummary } = await import('../../reporters/summary.ts');
  cli.print(renderSummary(images, { color: cli.color(cli.io.stdout), next: nextCommands(images) }));
}

export function configure(command: Command, cli: Cli): void {
  addTemplateOptions(command)
    .addOption(
      new Option('--on-error <what>', 'when a step fails')
        .choices(['cleanup', 'abort', 'ask', 'run-cleanup-provisioner'])
        .default('cleanup'),
    )
    .option('--force', 'run every step, whatever the cache has')
    .option('--parallel-builds <n>', 'images built at once; 0: all', wholeNumber(0), 0)
    .option('--max-memory <size>', 'memory of all machines at once; default: what is available', parseSize)
    .option(
      '--max-cpus <n>',
      'processors of all machines at once; default: those of this host',
      wholeNumber(1),
    )
    .option('--output-dir <folder>', 'where outputs go; default: output-<name> beside the template')
    .addOption(new Option('--engine <what>', 'what provisioners of disk images run in').choices([...ENGINES]))
    .option('--locked', 'fail where the lock would have to change')
    .option('--verify-reproducible', 'build twice, and say which file differs')
    .option('--warn-on-undeclared-var', 'warn about variables in files that the template does not declare')
    .option('--timestamp-ui', 'one line an event, with its time')
    .option('--junit <file>', 'write the results of all tests as JUnit XML')
    .option('--report <file>', 'write what was proven as one HTML page')
    .option('--events <file>', 'write every event there at once, as one line of JSON each')
    .option('--json', 'print the report as JSON; progress goes to standard error')
    .action(async (path: string, flags: Flags) => {
      const options = {
        ...templateArguments(path, command, cli),
        onError: flags.onError,
        ask: askOnError(cli),
        force: flags.force ?? false,
        // With -debug, as in Packer, one build at a time, and a stop before each of its steps.
        parallel: cli.globals.debug ? 1 : flags.parallelBuilds,
        ...(flags.maxMemory !== undefined && { maxMemory: flags.maxMemory }),
        ...(flags.maxCpus !== undefined && { maxCpus: flags.maxCpus }),
        ...(cli.globals.debug && { beforeStep: askBeforeStep(cli) }),
        warnUndeclared: flags.warnOnUndeclaredVar ?? false,
        locked: flags.locked ?? false,
        ...(flags.engine !== undefined && { engine: flags.engine }),
        ...(flags.outputDir !== undefined && { outputDir: flags.outputDir }),
      };
      const { build, BuildsFailed } = await import('../../app/build.ts');
      const reporting = { onStdout: true, json: flags.json, timestamps: flags.timestampUi };
      const report = await writeEvidencePage(flags.report, (use) =>
        writeReportFile(flags.junit, (junit) =>
          cli.report<Report>({ ...reporting, junit, events: flags.events }, async (deps) => {
            if (!flags.verifyReproducible) return await build({ ...options, ...use }, deps);
            const { verifyReproducible } = await import('../../app/verify-reproducible.ts');
            return await verifyReproducible({ ...options, ...use }, deps);
          }),
        ),
      ).catch(async (error: unknown) => {
        if (error instanceof BuildsFailed) await tellBuilt(error.images, flags, cli);
        throw error;
      });
      if (!report.ok) cli.exitCode = ExitCode.Failed;
      if (flags.json) return cli.printJson(report);
      if (cli.globals.machineReadable) return;
      await printSummary(report.images, cli);
      if ('differences' in report) {
        const { reproducibilityText } = await import('../reproducibility-text.ts');
        cli.print(reproducibilityText(report));
      }
    });
  addExamples(
    command,
    ['ingot build', 'the template in this folder'],
    ['ingot build -var suite=trixie web.pkr.hcl', 'with a variable'],
    ['ingot build -only=mmdebstrap.* -on-error=ask .', 'some builds; ask what to do when a step fails'],
    ['ingot build --locked --json . > report.json', 'in CI: on the locked inputs alone'],
    ['ingot build --report web.html --junit web.xml .', 'what was proven, for people and for CI'],
    ['ingot build --verify-reproducible .', 'build twice and compare byte by byte'],
  );
}
