import type { Argument, Command, Option } from 'commander';

/** What may stand for an argument or a flag's value, beside fixed words. */
type Completed = 'file' | 'release' | 'image' | 'nothing';

export interface CompletedFlag {
  /** `--on-error`, and `-o` where it has a short form. */
  readonly names: readonly string[];
  readonly summary: string;
  readonly takesValue: boolean;
  readonly values: readonly string[];
}

/** A verb, or a subcommand of one. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
  /** Fixed values of its arguments. */
  readonly words: readonly string[];
  readonly argument: Completed;
  readonly subcommands: readonly CompletedCommand[];
}

/** Prints the names of the releases in the user's store, one a line. */
export const RELEASES = 'ingot release list --quiet 2>/dev/null';

const EVERYWHERE: readonly CompletedFlag[] = [
  ['--help', 'show help'],
  ['--machine-readable', 'lines of comma-separated values'],
  ['--no-color', 'plain text'],
  ['--debug', 'stack traces with errors; build also stops before each step'],
].map(([name, summary]) => ({
  names: [name as string],
  summary: summary as string,
  takesValue: false,
  values: [],
}));

/** Verbs, subcommands and flags below `command`, as data. */
export function commandsOf(command: Command): CompletedCommand[] {
  return command.commands.map((sub) => {
    const arguments_ = sub.registeredArguments;
    const own = sub.options.map(flagOf);
    const known = new Set(own.flatMap((flag) => flag.names));
    return {
      name: sub.name(),
      summary: sub.description(),
      flags: [...own, ...EVERYWHERE.filter(({ names }) => !known.has(names[0] as string))],
      words: arguments_.flatMap((argument) => argument.argChoices ?? []),
      argument: kindOf(arguments_),
      subcommands: commandsOf(sub),
    };
  });
}

function flagOf(option: Option): CompletedFlag {
  return {
    names: [option.long, option.short].filter((name) => name !== undefined),
    summary: option.description,
    takesValue: option.required,
    values: option.argChoices ?? [],
  };
}

function kindOf([first]: readonly Argument[]): Completed {
  if (!first || first.argChoices) return 'nothing';
  switch (first.name()) {
    case 'release':
      return 'release';
    case 'image':
    case 'before':
    case 'what':
      return 'image';
    default:
      return 'file';
  }
}
