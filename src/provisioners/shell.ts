import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import { type Context, logLines } from '../core/context.ts';
import { IngotError } from '../core/error.ts';
import { unlessExactlyOne } from '../core/exactly-one.ts';
import type { Machine } from '../core/machine.ts';
import type { Provisioner } from '../core/plugin.ts';
import { assignments, quoteWord, readAssignments } from '../core/shell-words.ts';
import { fillString } from '../template/index.ts';

/** Packer's keys: developer.hashicorp.com/packer/docs/provisioners/shell. */
const shellSpec = bodySpec(
  {
    inline: attr.strings('Commands, run one after the other as one script.'),
    script: attr.string('Path of a script on this machine.'),
    scripts: attr.strings('Paths of scripts on this machine, run in order.'),
    inline_shebang: attr.string('First line of the script made of `inline`.', { default: '/bin/sh -e' }),
    binary: attr.bool('The script is a program: line ends are left as they are.', { default: false }),
    valid_exit_codes: attr.numbers('Exit codes that mean success.', { default: [0] }),
    environment_vars: attr.strings('`NAME=value` variables of the script; values may be secret references.', {
      default: [],
      references: true,
    }),
    env: attr.stringMap('Variables of the script, as a map; values may be secret references.', {
      default: {},
      references: true,
    }),
    use_env_var_file: attr.bool('Puts the variables into a file that the script sources.', {
      default: false,
    }),
    env_var_format: attr.string(
      'How a variable is written, in front of the command or in the file: the first %s is its name, the second its value.',
    ),
    execute_command: attr.string(
      'The command that runs a script: {{ .Vars }}, {{ .Path }}, {{ .EnvVarFile }}.',
      { goTemplate: true },
    ),
    remote_folder: attr.string('Folder in the machine for the script.', { default: '/tmp' }),
    remote_file: attr.string('Name of the script in the machine.'),
    remote_path: attr.string('Path of the script in the machine; in place of folder and file.'),
    skip_clean: attr.bool('Leaves the script in the machine.', { default: false }),
    expect_disconnect: attr.bool('The script may restart the machine.', { default: false }),
    start_retry_timeout: attr.duration('How long to try to reach a machine that restarts.', {
      default: 300_000,
      unhashed: true,
    }),
    pause_after: attr.duration('Wait after the script.', { unhashed: true }),
  },
  {},
  (o): OptionProblem[] => {
    const problems: OptionProblem[] = [];
    const { inline, script, scripts } = o;
    const message = unlessExactlyOne({ inline, script, scripts });
    if (message !== undefined)
      problems.push({ path: [], message, hint: 'Write inline = ["command"], or script = "file.sh".' });
    const { bad } = readAssignments(o.environment_vars, o.env);
    if (bad !== undefined) {
      problems.push({
        path: ['environment_vars'],
        message: `${JSON.stringify(bad)} is no NAME=value`,
        hint: 'A name has letters, digits and "_".',
      });
    }
    return problems;
  },
);

type ShellOptions = OptionsOf<typeof shellSpec>;

/** Lines of output that an error shows. */
const TAIL = 20;
const RETRY_MS = 1000;
const EXECUTE = 'chmod +x {{ .Path }}; {{ .Vars }} {{ .Path }}';
const EXECUTE_WITH_FILE = 'chmod +x {{ .Path }}; . {{ .EnvVarFile }} && {{ .Path }}';

/** `provisioner "shell"`: scripts in the machine. */
export const shellProvisioner: Provisioner<ShellOptions> = {
  type: 'shell',
  version: 1,
  tellsBuild: true,
  schema: async () => shellSpec,
  files: (o) => [...(o.script === undefined ? [] : [o.script]), ...(o.scripts ?? [])],

  async provision(machine, options, ctx) {
    let count = 0;
    for (const script of await scriptsOf(options, ctx)) {
      await runScript(script, options, machine, ctx, count++);
      if (options.pause_after) await delay(options.pause_after, undefined, { signal: ctx.signal });
    }
    return {};
  },
};

interface Script {
  /** For messages. */
  readonly name: string;
  readonly content: Uint8Array;
}

async function scriptsOf(options: ShellOptions, ctx: Context): Promise<Script[]> {
  if (options.inline) {
    const text = `#!${options.inline_shebang}\n${options.inline.join('\n')}\n`;
    return [{ name: 'the inline script', content: Buffer.from(text) }];
  }
  const paths = options.scripts ?? [options.script as string];
  return await Promise.all(
    paths.map(async (path) => {
      const bytes = await readFile(isAbsolute(path) ? path : join(ctx.templateDir, path));
      const content = options.binary
        ? bytes
        : Buffer.from(bytes.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
      return { name: path, content };
    }),
  );
}

async function runScript(
  script: Script,
  options: ShellOptions,
  machine: Machine,
  ctx: Context,
  index: number,
): Promise<void> {
  const { communicator } = machine;
  const path =
    options.remote_path ?? join(options.remote_folder, options.remote_file ?? `ingot-script-${index}.sh`);
  const variableFile = join(options.remote_folder, `ingot-variables-${index}.sh`);
  const variables = variablesOf(options, machine, ctx);
  const command = fillString(
    options.execute_command ?? (options.use_env_var_file ? EXECUTE_WITH_FILE : EXECUTE),
    {
      Vars: formatVariables(variables, options.env_var_format) ?? assignments(variables).trimEnd(),
      Path: path,
      EnvVarFile: variableFile,
    },
    'execute_command',
  );
  await whileItRestarts(options.start_retry_timeout, ctx, async () => {
    await communicator.uploadBytes(script.content, path, { mode: 0o755 });
    if (!options.use_env_var_file) return;
    const lines =
      formatVariables(variables, options.env_var_format) ??
      Object.entries(variables)
        .map(([name, value]) => `export ${name}=${quoteWord(value)}\n`)
        .join('');
    await communicator.uploadBytes(lines, variableFile, { mode: 0o600 });
  });
  const tail: string[] = [];
  const log = logLines(ctx);
  const exitCode = await communicator
    .exec(['/bin/sh', '-c', command], {
      signal: ctx.signal,
      onLine: (stream, line) => {
        tail.push(line);
        if (tail.length > TAIL) tail.shift();
        log(stream, line);
      },
    })
    .then(
      (result) => result.exitCode,
      (error: unknown) => {
        if (options.expect_disconnect && isDisconnect(error)) return undefined;
        throw error;
      },
    );
  if (!options.skip_clean) {
    const files = options.use_env_var_file ? [path, variableFile] : [path];
    await whileItRestarts(options.start_retry_timeout, ctx, () =>
      communicator.exec(['rm', '-f', '--', ...files], { signal: ctx.signal }),
    );
  }
  if (exitCode === undefined || options.valid_exit_codes.includes(exitCode)) return;
  throw new IngotError(
    'provisioner/script-failed',
    `${script.name} ended with exit code ${exitCode}; expected ${options.valid_exit_codes.join(' or ')}${lineOf(tail, path, script)}`,
    { hint: hintFor(exitCode), output: tail },
  );
}

function variablesOf(options: ShellOptions, machine: Machine, ctx: Context): Record<string, string> {
  return {
    PACKER_BUILD_NAME: ctx.build?.name ?? (ctx.step.split('/')[0] as string),
    PACKER_BUILDER_TYPE: ctx.build?.type ?? machine.kind,
    ...readAssignments(options.environment_vars, options.env).variables,
  };
}

/** Tries again, for `timeoutMs`, as long as the machine is down between two of its starts. */
async function whileItRestarts(timeoutMs: number, ctx: Context, work: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (!isDisconnect(error) || performance.now() > deadline) throw error;
    }
    await delay(RETRY_MS, undefined, { signal: ctx.signal });
  }
}

function isDisconnect(error: unknown): boolean {
  return error instanceof IngotError && error.code === 'machine/disconnected';
}

/** Where the shell names a line in its own message (`…sh: 12: foo: not found`, `…sh: line 12: …`): that line. */
function lineOf(tail: readonly string[], path: string, script: Script): string {
  for (const line of tail.toReversed()) {
    if (!line.startsWith(`${path}: `)) continue;
    const number = /^: (?:line )?(\d+): /.exec(line.slice(path.length))?.[1];
    if (number === undefined) continue;
    const text = Buffer.from(script.content).toString('utf8').split('\n')[Number(number) - 1]?.trim();
    return `; line ${number}${text ? `: ${text.slice(0, 200)}` : ''}`;
  }
  return '';
}

function hintFor(exitCode: number): string {
  if (exitCode === 127)
    return 'Exit code 127: a command was not found in the machine. Is its package installed by then?';
  if (exitCode === 126) return 'Exit code 126: a file is not executable, or its interpreter is missing.';
  return 'Its last lines of output say why; `set -x` in the script shows each command as it runs.';
}

/** Variables in a format of the user's, which takes a name, then a value with its single quotes escaped. */
function formatVariables(
  variables: Readonly<Record<string, string>>,
  format: string | undefined,
): string | undefined {
  if (format === undefined) return undefined;
  return Object.entries(variables)
    .map(([name, value]) => {
      const words = [name, value.replaceAll("'", "'\\''")];
      return format.replace(/%s/g, () => words.shift() ?? '');
    })
    .join('');
}
