import { text } from 'node:stream/consumers';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ListedReference, SecretsOptions } from '../../app/secrets.ts';
import type { Cli } from '../cli.ts';
import { parseAge } from '../flag-values.ts';
import { table } from '../table.ts';
import { addExamples } from '../template-options.ts';

interface Flags {
  file?: string;
  output?: 'yaml' | 'json';
  inherit?: boolean;
  mask?: boolean;
  excludeSecret?: boolean;
  decodeKubernetesSecrets?: boolean;
  failOnMissingKeyInMap?: boolean;
  export?: boolean;
  streamYaml?: string;
  dryRun?: boolean;
  expandValues?: boolean;
  outputFile?: string;
  timeout?: number;
}

export function configure(command: Command, cli: Cli): void {
  configureEval(command, cli);
  configureExec(command, cli);
  configureEnv(command, cli);
  configureFlatten(command, cli);
  configureGet(command, cli);
  configureDecode(command, cli);
  addExamples(
    command,
    ['ingot secrets eval -f config.yaml', 'a YAML file with values in place of ref+vault://…#/key'],
    ['ingot secrets exec -i -f env.yaml -- ./server', 'run a command with secrets in its environment'],
    ['eval "$(ingot secrets env -export -f env.yaml)"', 'into this shell'],
    ['ingot secrets eval -f config.yaml --dry-run', 'which references would be read'],
  );
}

function configureEval(command: Command, cli: Cli): void {
  const sub = command
    .command('eval')
    .description('print YAML or JSON with values in place of references')
    .option('-f, --file <file>', 'YAML or JSON file, or folder of such; - for standard input', '-')
    .addOption(new Option('-o, --output <format>', 'what to print').choices(['yaml', 'json']).default('yaml'))
    .option('--decode-kubernetes-secrets', 'look for references in the data of Kubernetes Secrets, too')
    .option('--fail-on-missing-key-in-map <bool>', 'false: a missing key is null', parseBoolean, true);
  addReading(sub);
  addOutput(sub);
  sub.action(async (flags: Flags) => {
    const input = inputOf(flags, cli);
    const app = await import('../../app/secrets.ts');
    if (flags.dryRun) return list(await app.listSecretReferences({ documents: input }, flags), flags, cli);
    const output = await app.evalSecrets(input, flags.output ?? 'yaml', {
      ...readingOf(flags, cli),
      missingKeys: flags.failOnMissingKeyInMap === false,
      decodeKubernetesSecrets: flags.decodeKubernetesSecrets === true,
    });
    await write(output, flags, cli);
  });
}

function configureExec(command: Command, cli: Cli): void {
  const sub = command
    .command('exec')
    .description('run a command with the variables of a file in its environment')
    .argument('[command...]', 'the command and its arguments')
    .option('-f, --file <file>', 'YAML or JSON file of variables')
    .option('-i, --inherit', 'hand over our own environment, too')
    .option('--mask', 'hide the values in what the command writes; it then has no terminal')
    .option('--stream-yaml <path>', 'YAML file or folder that goes, evaluated, to its standard input');
  addReading(sub);
  sub.action(async (args: string[], flags: Flags, self: Command) => {
    const [file, stream] = [flags.file, flags.streamYaml];
    const app = await import('../../app/secrets.ts');
    if (flags.dryRun) {
      const files = [file, stream].filter((path) => path !== undefined);
      const listed = await Promise.all(
        files.map((path) => app.listSecretReferences({ documents: inputOf({ file: path }, cli) }, flags)),
      );
      return list(listed.flat(), flags, cli);
    }
    if (args.length === 0) self.error('error: name the command to run');
    cli.exitCode = await app.execSecrets(args, {
      ...readingOf(flags, cli),
      ...(file !== undefined && { input: inputOf({ file }, cli) }),
      ...(stream !== undefined && { streamYaml: inputOf({ file: stream }, cli) }),
      inherit: flags.inherit === true,
      mask: flags.mask === true,
    });
  });
}

function configureEnv(command: Command, cli: Cli): void {
  const sub = command
    .command('env')
    .description('print the variables of a file as lines for a shell')
    .requiredOption('-f, --file <file>', 'YAML or JSON file of variables; - for standard input')
    .option('--export', 'begin each line with export');
  addReading(sub);
  addOutput(sub);
  sub.action(async (flags: Flags) => {
    const input = inputOf(flags, cli);
    const app = await import('../../app/secrets.ts');
    if (flags.dryRun) return list(await app.listSecretReferences({ documents: input }, flags), flags, cli);
    const options = { ...readingOf(flags, cli), isExported: flags.export === true };
    await write(await app.envSecrets(input, options), flags, cli);
  });
}

function configureFlatten(command: Command, cli: Cli): void {
  const sub = command
    .command('flatten')
    .description('print a text of any kind with values in place of references')
    .option('-f, --file <file>', 'text file; - for standard input', '-');
  addReading(sub);
  addOutput(sub);
  sub.action(async (flags: Flags) => {
    const input = inputOf(flags, cli);
    const app = await import('../../app/secrets.ts');
    if (flags.dryRun) return list(await app.listSecretReferences({ texts: input }, flags), flags, cli);
    await write(await app.flattenSecrets(input, readingOf(flags, cli)), flags, cli);
  });
}

function configureGet(command: Command, cli: Cli): void {
  const sub = command
    .command('get')
    .description('print one text with values in place of references')
    .argument('<text>', 'ref+vault://secret/db#/password, for example');
  addReading(sub);
  addOutput(sub);
  sub.action(async (wanted: string, flags: Flags) => {
    if (wanted === '')
      sub.error('error: the text is empty; expected a reference, as ref+vault://secret/db#/password');
    const app = await import('../../app/secrets.ts');
    if (flags.dryRun) return list(await app.listSecretReferences({ text: wanted }, flags), flags, cli);
    await write(await app.getSecret(wanted, readingOf(flags, cli)), flags, cli);
  });
}

function configureDecode(command: Command, cli: Cli): void {
  const sub = command
    .command('ksdecode')
    .description('print Kubernetes Secrets with their data in the clear, as stringData')
    .requiredOption('-f, --file <file>', 'YAML or JSON file, or folder of such; - for standard input')
    .addOption(
      new Option('-o, --output <format>', 'what to print').choices(['yaml', 'json']).default('yaml'),
    );
  addOutput(sub);
  sub.action(async (flags: Flags) => {
    const app = await import('../../app/secrets.ts');
    await write(await app.decodeKubernetesSecrets(inputOf(flags, cli), flags.output ?? 'yaml'), flags, cli);
  });
}

/** Flags of everything that reads references. */
function addReading(command: Command): void {
  command
    .option('-s, --silent', 'silent; for scripts made for vals: nothing is told but errors anyway')
    .option('--exclude-secret', 'leave secretref+… as it is')
    .option('--expand-values', 'expand references that stand in fetched values, too')
    .option('--timeout <age>', 'give up on a value after this long, all attempts together: 20s, 5m', parseAge)
    .option('--dry-run', 'list the references that would be read, and read none');
}

function addOutput(command: Command): void {
  command.option(
    '--output-file <file>',
    'write there, for its owner alone (mode 0600), as a whole or not at all',
  );
}

function inputOf({ file = '-' }: Pick<Flags, 'file'>, cli: Cli) {
  return { file, stdin: () => text(cli.io.stdin) };
}

function readingOf(flags: Flags, cli: Cli): SecretsOptions {
  return {
    env: cli.io.env,
    excludeSecret: flags.excludeSecret === true,
    expandValues: flags.expandValues === true,
    ...(flags.timeout !== undefined && { timeoutMs: flags.timeout }),
  };
}

async function write(output: string, { outputFile }: Flags, cli: Cli): Promise<void> {
  if (outputFile === undefined) return void cli.io.stdout.write(output);
  const { writeSecrets } = await import('../../app/secrets.ts');
  await writeSecrets(outputFile, output);
}

function list(references: readonly ListedReference[], { output }: Flags, cli: Cli): void {
  if (output === 'json') return cli.printJson(references);
  if (references.length === 0) return cli.print('there are no references');
  cli.print(
    table(
      ['BACKEND', 'KIND', 'REFERENCE'],
      references.map(({ backend, kind, reference }) => [backend, kind, reference]),
    ),
  );
}

/** As Go's flag package reads booleans. */
function parseBoolean(value: string): boolean {
  if (/^(?:1|t|true)$/i.test(value)) return true;
  if (/^(?:0|f|false)$/i.test(value)) return false;
  throw new InvalidArgumentError('Expected true or false.');
}
