import { type Command, CommanderError, Help, type Option } from 'commander';
import { ExitCode } from '../core/error.ts';
import { styles } from '../reporters/style.ts';
import { readArguments } from './arguments.ts';
import { separateChildCommand } from './child-command.ts';
import { Cli, type Surroundings } from './cli.ts';
import { SuggestingCommand } from './command.ts';
import { showFailure } from './failure.ts';
import { NEEDS_TEMPLATE, type ProgramName, usageExitCode, versionText } from './program-name.ts';
import { verbs } from './verbs.ts';

const GLOBAL_HELP = `
Flags of every verb:
  --machine-readable   lines of comma-separated values, as Packer writes them
  --no-color           plain text (so does NO_COLOR)
  --debug              stack traces with errors; build also stops before each step

Packer's single-dash flags (-var x=y, -only=a,b, -on-error=ask) are understood too.
`;

/** Runs one command line (without node and script) and answers the exit code. Never throws. */
export async function run(
  argv: readonly string[],
  io: Surroundings,
  name: ProgramName = 'ingot',
): Promise<number> {
  const { args: given, globals } = readArguments(separateChildCommand(argv));
  const args = asAsked(given);
  const cli = new Cli(io, globals, name);
  stopOnClosedPipe(io.stdout);
  try {
    const program = await createProgram(cli, wantedVerbs(args));
    await program.parseAsync(args, { from: 'user' });
    return cli.interrupted ? ExitCode.Interrupted : cli.exitCode;
  } catch (error) {
    // Commander has printed its own: help is no failure, anything else is a wrong command line.
    if (error instanceof CommanderError) {
      const unknownVerb = error.code === 'commander.unknownCommand' || args.length === 0;
      if (unknownVerb && isVerb(args[1]))
        io.stderr.write(`(The verb comes first: ${name} ${args[1]} ${args[0]})\n`);
      return error.exitCode === 0 ? ExitCode.Done : usageExitCode(name, unknownVerb);
    }
    return showFailure(error, cli);
  }
}

/** Help on help is help, on a subcommand the subcommand's own, and on what there is not it says so, with what was meant. */
function asAsked(args: readonly string[]): readonly string[] {
  const [first, topic, ...below] = args;
  if (first !== 'help' || topic === undefined || topic.startsWith('-')) return args;
  if (isVerb(topic)) return below.length === 0 ? args : [topic, ...below, '--help'];
  return topic === 'help' ? ['help'] : [topic];
}

function isVerb(word: string | undefined): boolean {
  return verbs.some((verb) => verb.name === word);
}

/** The verbs whose flags are needed: the one asked for, or with `completion` all. */
function wantedVerbs(args: readonly string[]): readonly string[] {
  const words = args.filter((arg) => !arg.startsWith('-'));
  const name = words[0] === 'help' ? words[1] : words[0];
  return name === 'completion' ? verbs.map((verb) => verb.name) : name === undefined ? [] : [name];
}

/** The program with all verbs by name; those in `wanted` have their flags, too. */
export async function createProgram(cli: Cli, wanted: readonly string[]): Promise<Command> {
  const { io } = cli;
  const program = new SuggestingCommand(cli.name)
    .description('Golden images from the files you already have.')
    .version(versionText(cli.name, true), '-v, --version', 'print the version')
    .helpCommand('help [verb]', 'show the help of a verb')
    .helpOption('-h, --help', 'show help')
    .addHelpText('after', GLOBAL_HELP)
    .showSuggestionAfterError()
    .configureHelp({ optionDescription })
    .showHelpAfterError('(ingot help shows what there is)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(styles(cli.color(io.stderr)).red(text.trimEnd()).concat('\n')),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
      getOutHasColors: () => cli.color(io.stdout),
      getErrHasColors: () => cli.color(io.stderr),
    });
  for (const { name, summary, load } of verbs) {
    const command = program
      .command(name)
      .description(summary)
      .showHelpAfterError(`(ingot help ${name} shows its flags)`);
    if (!wanted.includes(name)) continue;
    (await load()).configure(command, cli);
    if (cli.name === 'packer' && NEEDS_TEMPLATE.has(name))
      for (const argument of command.registeredArguments) argument.required = true;
  }
  return program;
}

/** An empty list is no default that anybody wants to read of. */
function optionDescription(option: Option): string {
  return new Help().optionDescription(option).replace(' (default: [])', '');
}

/** `ingot … | head` closes our output early: that is no error. */
function stopOnClosedPipe(stream: object): void {
  if (!('on' in stream) || typeof stream.on !== 'function') return;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(ExitCode.Done);
    throw error;
  });
}
