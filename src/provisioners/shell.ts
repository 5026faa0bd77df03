import { readFile } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import { type Context, logLines } from '../core/context.ts';
import { IngotError } from '../core/error.ts';
import type { Machine } from '../core/machine.ts';
import { fillPlaceholders } from '../core/placeholders.ts';
import type { Provisioner } from '../core/plugin.ts';
import { assignments, quoteWord, readAssignments } from '../core/shell-words.ts';

/** Packer's keys: developer.hashicorp.com/packer/docs/provisioners/shell. */
const shellSpec = bodySpec(
  {
    inline: attr.strings('Commands, run one after the other as one script.'),
    script: attr.string('Path of a script on this machine.'),
    scripts: attr.strings('Paths of scripts on this machine, run in order.'),
    inline_shebang: attr.string('First line of the script made of `inline`.', { default: '/bin/sh -e' }),
    binary: attr.bool('The script is a program: line ends are left as they are.', { default: false }),
    valid_exit_codes: attr.numbers('Exit codes that mean success.', { default: [0] }),
    environment_vars: attr.strings('`NAME=value` variables of the script.', { default: [] }),
    env: attr.stringMap('Variables of the script, as a map.', { default: {} }),
    use_env_var_file: attr.bool('Puts the variables into a file that the script sources.', {
      default: false,
    }),
    env_var_format: attr.string('How a variable is written in front of the command, for other shells.'),
    execute_command: attr.string(
      'The command that runs a script: {{ .Vars }}, {{ .Path }}, {{ .EnvVarFile }}.',
      { goTemplate: true },
    ),
    remote_folder: attr.string('Folder in the machine for the script.', { default: '/tmp' }),
    remote_file: attr.string('Name of the script in the machine.'),
    remote_path: attr.string('Path of the script in the machine; in place of folder and file.'),
    skip_clean: attr.bool('Leaves the script in the machine.', { default: false }),
    expect_disconnect: attr.bool('The script may restart the machine.', { default: false }),
    start_retry_timeout: attr.duration('How long to try to start the script.', { unhashed: true }),
    pause_after: attr.duration('Wait after the script.', { unhashed: true }),
  },
  {},
  (o): OptionProblem[] => {
    const problems: OptionProblem[] = [];
    const given = [o.inline, o.script, o.scripts].filter((v) => v !== undefined).length;
    if (given !== 1) {
      problems.push({
        path: [],
        message: `expected exactly one of inline, script and scripts; got ${given === 0 ? 'none' : 'more'}`,
        hint: 'Write inline = ["command"], or script = "file.sh".',
      });
    }
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

const EXECUTE = 'chmod +x {{ .Path }}; {{ .Vars }} {{ .Path }}';
const EXECUTE_WITH_FILE = 'chmod +x {{ .Path }}; . {{ .EnvVarFile }} && {{ .Path }}';

/** `provisioner "shell"`: scripts in the machine. */
export const shellProvisioner: Provisioner<ShellOptions> = {
  type: 'shell',
  version: 1,
  schema: async () => shellSpec,
  files: (o) => [...(o.script === undefined ? [] : [o.script]), ...(o.scripts ?? [])],

  async provision(machine, options, ctx) {
    let count = 0;
    for (const script of await scriptsOf(options, ctx)) {
      await runScript(script, options, machine, ctx, count++);
      if (options.pause_after) await new Promise((done) => setTimeout(done, options.pause_after));
    }
    return {};
  },
};

interface Script {
  /** For messages: `inline` or the path in the template. */
  readonly name: string;
  readonly content: Uint8Array;
}

async function scriptsOf(options: ShellOptions, ctx: Context): Promise<Script[]> {
  if (options.inline) {
    const text = `#!${options.inline_shebang}\n${options.inline.join('\n')}\n`;
    return [{ name: 'inline', content: Buffer.from(text) }];
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
  const file = options.remote_file ?? `ingot-script-${index}.sh`;
  const path = options.remote_path ?? `${options.remote_folder}/${file}`;
  const variables = {
    PACKER_BUILD_NAME: String(machine.generated.get('BuildName') ?? ctx.step.split('/')[0]),
    PACKER_BUILDER_TYPE: String(machine.generated.get('BuilderType') ?? machine.kind),
    ...readAssignments(options.environment_vars, options.env).variables,
  };
  const variableFile = `${options.remote_folder}/ingot-variables-${index}.sh`;
  await communicator.uploadBytes(script.content, path, { mode: 0o755 });
  if (options.use_env_var_file) {
    const lines = Object.entries(variables).map(([name, value]) => `export ${name}=${quoteWord(value)}\n`);
    await communicator.uploadBytes(lines.join(''), variableFile, { mode: 0o600 });
  }
  const command = fillPlaceholders(
    options.execute_command ?? (options.use_env_var_file ? EXECUTE_WITH_FILE : EXECUTE),
    { Vars: formatVariables(variables, options.env_var_format), Path: path, EnvVarFile: variableFile },
    'execute_command',
  );
  const tail: string[] = [];
  const log = logLines(ctx);
  const result = await communicator.exec(['/bin/sh', '-c', command], {
    signal: ctx.signal,
    onLine: (stream, line) => {
      tail.push(line);
      if (tail.length > 20) tail.shift();
      log(stream, line);
    },
  });
  if (!options.skip_clean) {
    await communicator.exec(['rm', '-f', '--', path, ...(options.use_env_var_file ? [variableFile] : [])], {
      signal: ctx.signal,
    });
  }
  if (options.valid_exit_codes.includes(result.exitCode)) return;
  throw new IngotError(
    'provisioner/script-failed',
    `${script.name === 'inline' ? 'the inline script' : basename(script.name)} ended with exit code ${result.exitCode}; expected ${options.valid_exit_codes.join(' or ')}${lineOf(tail, path)}`,
    { hint: hintFor(result.exitCode), output: tail },
  );
}

/** Where the shell names a line in its own message: `…sh: 12: foo: not found`, `…sh: line 12: …`. */
function lineOf(tail: readonly string[], path: string): string {
  for (const line of [...tail].reverse()) {
    if (!line.startsWith(`${path}: `)) continue;
    const match = /^: (?:line )?(\d+): /.exec(line.slice(path.length));
    if (match) return `, at line ${match[1]}`;
  }
  return '';
}

function hintFor(exitCode: number): string {
  if (exitCode === 127)
    return 'Exit code 127: a command was not found in the machine. Is its package installed by then?';
  if (exitCode === 126) return 'Exit code 126: a file is not executable, or its interpreter is missing.';
  return 'The last lines of its output are below. `-on-error=ask` lets you look into the machine before it goes.';
}

function formatVariables(variables: Readonly<Record<string, string>>, format: string | undefined): string {
  if (format === undefined) return assignments(variables).trimEnd();
  // Packer's format takes the name and the value, in this order.
  return Object.entries(variables)
    .map(([name, value]) => format.replace('%s', name).replace('%s', value.replaceAll("'", "'\\''")))
    .join('');
}
