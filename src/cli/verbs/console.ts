import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { TemplateConsole } from '../../app/console.ts';
import { hasErrors } from '../../core/diagnostic.ts';
import { DiagnosticsError, ExitCode } from '../../core/error.ts';
import { renderDiagnostics } from '../../core/render-diagnostic.ts';
import type { Cli } from '../cli.ts';
import { addExamples, addVariableOptions, variableArguments } from '../template-options.ts';

const HELP = {
  hcl2: `Type an expression and press Enter to see its value: upper(var.foo)
variables  shows all variables and locals with their values
exit       ends the console, as Ctrl-D does
Go templates such as {{timestamp}} work in legacy JSON templates only.`,
  legacy: `Type a text and press Enter to see what it becomes: {{user \`name\`}}-{{timestamp}}
variables  shows all variables with their values
exit       ends the console, as Ctrl-D does
Without a template, --config-type=hcl2 takes expressions of HCL2.`,
};

export function configure(command: Command, cli: Cli): void {
  addVariableOptions(command.argument('[template]', 'template file or folder; without it, an empty template'))
    .addOption(
      new Option('--config-type <type>', 'language, where there is no template')
        .choices(['json', 'hcl2'])
        .default('json'),
    )
    .action(async (path: string | undefined, flags: { configType: string }) => {
      const { openConsole } = await import('../../app/console.ts');
      const given = variableArguments(command);
      const options = { ...given, ...(path !== undefined && { path }), hcl2: flags.configType === 'hcl2' };
      const console = await cli.report({ lines: true }, (deps) => openConsole(options, deps));
      cli.addSources(console.sources);
      if (hasErrors(console.diagnostics)) throw new DiagnosticsError(console.diagnostics);
      await (cli.io.stdin.isTTY ? converse(console, cli) : answerLast(console, cli));
    });
  addExamples(
    command,
    ['ingot console web.pkr.hcl', 'ask for values in the scope of a template'],
    ["echo 'upper(var.suite)' | ingot console web.pkr.hcl", 'one expression'],
    ["echo '1 + 5' | ingot console --config-type=hcl2", 'without a template'],
  );
}

/** As Packer: of many lines, the last one's value is printed; all are evaluated, and mistakes in any are told. */
async function answerLast(console: TemplateConsole, cli: Cli): Promise<void> {
  let last = '';
  for await (const line of createInterface({ input: cli.io.stdin })) {
    const { text } = await answer(line.trim(), console, cli);
    last = text;
    if (line.trim() === 'exit') break;
  }
  cli.io.stdout.write(`${last}\n`);
}

async function converse(console: TemplateConsole, cli: Cli): Promise<void> {
  const { stdin, stdout } = cli.io;
  const prompt = createInterface({
    input: stdin,
    output: stdout as unknown as NodeJS.WritableStream,
    prompt: '> ',
  });
  prompt.prompt();
  for await (const line of prompt) {
    if (line.trim() === 'exit') break;
    const { text } = line.trim() === '' ? { text: '' } : await answer(line.trim(), console, cli);
    if (text !== '') stdout.write(`${text}\n`);
    prompt.prompt();
  }
  prompt.close();
  cli.exitCode = ExitCode.Done;
}

async function answer(line: string, console: TemplateConsole, cli: Cli): Promise<{ text: string }> {
  if (line === '' || line === 'exit') return { text: '' };
  if (line === 'help') return { text: HELP[console.mode] };
  if (line === 'variables') return { text: console.variables() };
  const { text, diagnostics } = await console.evaluate(line);
  const { stderr } = cli.io;
  const sources = new Map([...cli.sources, ['<console-input>', line]]);
  stderr.write(renderDiagnostics(diagnostics, sources, cli.rendering(stderr)));
  if (hasErrors(diagnostics)) cli.exitCode = ExitCode.Failed;
  return { text };
}
