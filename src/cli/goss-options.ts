import { type Command, InvalidArgumentError, Option } from 'commander';
import { ExitCode, IngotError } from '../core/error.ts';
import type { Cli } from './cli.ts';
import { optionWithDefault, parseGoDuration, wholeNumber } from './flag-values.ts';

/** What `ingot test IMAGE --goss FILE` was given. */
export interface GossFlags {
  goss?: string;
  vars?: string;
  varsInline?: string;
  format: string;
  formatOptions: string[];
  retryTimeout: number;
  sleep: number;
  strict?: boolean;
  boot: boolean;
  machine: 'container' | 'vm';
  add?: string;
  autoadd?: boolean;
  mutate?: boolean;
  mutations: number;
  minScore?: number;
  json?: boolean;
}

const FORMATS = [
  'documentation',
  'json',
  'junit',
  'nagios',
  'prometheus',
  'rspecish',
  'silent',
  'structured',
  'tap',
] as const;
const OPTIONS = ['exclude_raw', 'perfdata', 'pretty', 'sort', 'verbose'] as const;

const append = (value: string, before: string[]): string[] => {
  const words = value.split(',');
  const wrong = words.find((word) => !(OPTIONS as readonly string[]).includes(word));
  if (wrong !== undefined) throw new InvalidArgumentError(`Expected one of ${OPTIONS.join(', ')}.`);
  return [...before, ...words];
};

/** Adds goss's flags, by goss's names. */
export function addGossOptions(command: Command): Command {
  return command
    .argument('[names...]', 'with --add or --autoadd: what to add')
    .option('--goss <file>', 'test the disk image given instead of a template, with this goss file')
    .option('--vars <file>', "JSON or YAML file with variables of the goss file's templates")
    .option('--vars-inline <text>', 'JSON or YAML text with variables, which win')
    .addOption(new Option('-f, --format <format>', "goss's output").choices(FORMATS).default('rspecish'))
    .option('-o, --format-options <option>', `${OPTIONS.join(', ')} (may be repeated)`, append, [])
    .addOption(
      optionWithDefault(
        '-r, --retry-timeout <duration>',
        'try failing checks again for so long',
        parseGoDuration,
        '0s',
      ),
    )
    .addOption(optionWithDefault('-s, --sleep <duration>', 'time between tries', parseGoDuration, '1s'))
    .option('--strict', 'checks that assert nothing or cannot be decided here fail the test')
    .addOption(
      new Option('--machine <kind>', 'as what a copy is booted; a vm has its own kernel and takes a minute')
        .choices(['container', 'vm'])
        .default('container'),
    )
    .option('--no-boot', 'leave out what only a booted image tells')
    .option('--add <type>', 'write the state of the named things into the goss file', oneType)
    .option('--autoadd', 'write everything with these names into the goss file')
    .option('--mutate', 'change the image bit by bit, and tell which changes no check notices')
    .option(
      '--mutations <number>',
      'with --mutate: most changes that are tried',
      wholeNumber(1, 100_000),
      200,
    )
    .option(
      '--min-score <percent>',
      'with --mutate: fail where fewer changes are noticed',
      wholeNumber(0, 100),
    );
}

/** Runs what goss's flags ask for; false: they were not given. */
export async function runGossVerb(
  image: string,
  names: readonly string[],
  flags: GossFlags,
  cli: Cli,
): Promise<boolean> {
  const adding = flags.autoadd ? 'auto' : flags.add;
  if (flags.goss === undefined && adding === undefined && !flags.mutate) {
    if (names.length > 0)
      throw usage(`unexpected ${names.join(' ')}`, 'Only --add and --autoadd take names.');
    return false;
  }
  const file = flags.goss ?? 'goss.yaml';
  if (adding !== undefined) {
    if (names.length === 0)
      throw usage(
        'nothing to add',
        'Name the image and then what to add: ingot test web.qcow2 --add file /etc/hosts',
      );
    const { addFromImage } = await import('../app/goss-add.ts');
    const added = await cli.report({}, (deps) =>
      addFromImage({ image, file, type: adding, names, boot: flags.boot, machine: flags.machine }, deps),
    );
    cli.print(added.map(({ type, name }) => `${type} ${name} is in ${file}`).join('\n'));
    return true;
  }
  if (flags.mutate) {
    await runMutations(image, file, flags, cli);
    return true;
  }
  const { testImage } = await import('../app/goss.ts');
  const { text, exitCode } = await cli.report({}, (deps) =>
    testImage(
      {
        ...commonOptions(image, file, flags),
        format: flags.format as (typeof FORMATS)[number],
        formatOptions: flags.formatOptions as (typeof OPTIONS)[number][],
        color: cli.color(cli.io.stdout),
      },
      deps,
    ),
  );
  cli.exitCode = exitCode;
  if (text !== '') cli.print(text);
  return true;
}

function commonOptions(image: string, file: string, flags: GossFlags) {
  return {
    image,
    file,
    ...(flags.vars !== undefined && { vars: flags.vars }),
    ...(flags.varsInline !== undefined && { varsInline: flags.varsInline }),
    strict: flags.strict ?? false,
    boot: flags.boot,
    machine: flags.machine,
    retryTimeout: flags.retryTimeout,
    sleep: flags.sleep,
  };
}

async function runMutations(image: string, file: string, flags: GossFlags, cli: Cli): Promise<void> {
  const { mutateGoss } = await import('../app/goss-mutate.ts');
  const report = await cli.report({ json: flags.json }, (deps) =>
    mutateGoss({ ...commonOptions(image, file, flags), mutations: flags.mutations }, deps),
  );
  if (report.score < (flags.minScore ?? 0)) cli.exitCode = ExitCode.Failed;
  if (flags.json) return cli.printJson(report);
  const { mutationText } = await import('./mutation-text.ts');
  cli.print(mutationText(report));
}

function usage(message: string, hint: string): IngotError {
  return new IngotError('goss/bad-arguments', message, { hint, exitCode: ExitCode.Usage });
}

/** All names are of one type: the second would take those of the first. */
function oneType(type: string, earlier: string | undefined): string {
  if (earlier === undefined) return type;
  throw new InvalidArgumentError(`It was given before, as ${earlier}; add one type at a time.`);
}
