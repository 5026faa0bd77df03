import { access, constants, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import { type Context, logLines } from '../core/context.ts';
import { IngotError } from '../core/error.ts';
import { unlessExactlyOne } from '../core/exactly-one.ts';
import { assignments, quoteWord, readAssignments } from '../core/shell-words.ts';
import { fillString } from '../template/index.ts';

/** Keys of `shell-local`, provisioner and post-processor: developer.hashicorp.com/packer/docs/provisioners/shell-local. */
export const localScriptSpec = bodySpec(
  {
    command: attr.string('One command.'),
    inline: attr.strings('Commands, run one after the other as one script.'),
    script: attr.string('Path of a script.'),
    scripts: attr.strings('Paths of scripts, run in order.'),
    inline_shebang: attr.string('First line of the script made of `inline`.', { default: '/bin/sh -e' }),
    environment_vars: attr.strings('`NAME=value` variables of the script; values may be secret references.', {
      default: [],
      references: true,
    }),
    env: attr.stringMap('Variables of the script, as a map; values may be secret references.', {
      default: {},
      references: true,
    }),
    execute_command: attr.strings('The command that runs a script: {{ .Vars }}, {{ .Script }}.', {
      goTemplate: true,
    }),
    valid_exit_codes: attr.numbers('Exit codes that mean success.', { default: [0] }),
    only_on: attr.strings('Operating systems of this machine to run on, as Go names them.'),
    tempfile_extension: attr.string('Ending of the temporary script made of `inline`.'),
    use_linux_pathing: attr.bool('For Windows; has no effect here.', { default: false }),
    env_var_format: attr.string(
      'How a variable is written into {{ .Vars }}: the first %s is its name, the second its value.',
    ),
  },
  {},
  (o): OptionProblem[] => {
    const problems: OptionProblem[] = [];
    const { command, inline, script, scripts } = o;
    const message = unlessExactlyOne({ command, inline, script, scripts });
    if (message !== undefined) problems.push({ path: [], message });
    const { bad } = readAssignments(o.environment_vars, o.env);
    if (bad !== undefined)
      problems.push({ path: ['environment_vars'], message: `${JSON.stringify(bad)} is no NAME=value` });
    return problems;
  },
);

export type LocalScriptOptions = OptionsOf<typeof localScriptSpec>;

/** Files that the options make a step read. */
export function localScriptFiles(o: LocalScriptOptions): readonly string[] {
  return [...(o.script === undefined ? [] : [o.script]), ...(o.scripts ?? [])];
}

/** Runs the scripts on this machine, in order; `type` is what they see as PACKER_BUILDER_TYPE outside of builds. */
export async function runLocalScripts(
  options: LocalScriptOptions,
  type: string,
  ctx: Context,
): Promise<{ summary?: string }> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  if (options.only_on && !options.only_on.includes(system)) {
    return { summary: `left out: this machine is ${system}` };
  }
  const variables = {
    PACKER_BUILD_NAME: ctx.build?.name ?? (ctx.step.split('/')[0] as string),
    PACKER_BUILDER_TYPE: ctx.build?.type ?? type,
    ...(ctx.build && { PACKER_RUN_UUID: ctx.build.runUuid }),
    ...readAssignments(options.environment_vars, options.env).variables,
  };
  const folder = await mkdtemp(join(tmpdir(), 'ingot-script-'));
  try {
    for (const script of await scriptsOf(options, folder, ctx)) {
      if (!script.temporary) await requireScript(script, options.execute_command === undefined);
      await run(script, variables, options, ctx);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return {};
}

interface Script {
  /** For messages. */
  readonly name: string;
  readonly path: string;
  readonly temporary: boolean;
}

async function scriptsOf(options: LocalScriptOptions, folder: string, ctx: Context): Promise<Script[]> {
  const names = options.scripts ?? (options.script === undefined ? undefined : [options.script]);
  if (names) {
    return names.map((name) => ({
      name,
      path: isAbsolute(name) ? name : join(ctx.templateDir, name),
      temporary: false,
    }));
  }
  const ending =
    options.tempfile_extension === undefined ? '' : `.${options.tempfile_extension.replace(/^\./, '')}`;
  const path = join(folder, `script${ending}`);
  const lines = options.inline ?? [options.command as string];
  await writeFile(path, `#!${options.inline_shebang}\n${lines.join('\n')}\n`, { mode: 0o700 });
  return [{ name: options.inline ? 'the inline script' : 'the command', path, temporary: true }];
}

/** The default command runs a script as it is, so the file must have the permission. */
async function requireScript({ name, path }: Script, executable: boolean): Promise<void> {
  await access(path, executable ? constants.X_OK : constants.R_OK).catch((cause: unknown) => {
    throw new IngotError('provisioner/not-executable', `${name} cannot be run on this machine`, {
      hint: executable ? `Does it exist? Then: chmod +x ${name}` : 'Does it exist, and may you read it?',
      cause,
    });
  });
}

async function run(
  script: Script,
  variables: Readonly<Record<string, string>>,
  options: LocalScriptOptions,
  ctx: Context,
): Promise<void> {
  const template = options.execute_command ?? ['/bin/sh', '-c', '{{ .Vars }} {{ .Script }}'];
  const vars =
    options.env_var_format === undefined
      ? assignments(variables)
      : formatted(variables, options.env_var_format);
  // In a command of one's own it may stand between quotes already.
  const path = options.execute_command === undefined ? quoteWord(script.path) : script.path;
  const values = { Vars: vars.trimEnd(), Script: path, Command: path };
  const [command, ...args] = template.map((part) => fillString(part, values, 'execute_command'));
  const result = await ctx.host.run(command as string, args, {
    cwd: ctx.templateDir,
    // The user's own commands run as if typed: with the user's environment.
    env: { ...(process.env as Record<string, string>), ...variables },
    okCodes: 'any',
    onLine: logLines(ctx),
    signal: ctx.signal,
  });
  if (options.valid_exit_codes.includes(result.exitCode)) return;
  const output = `${result.stdout}\n${result.stderr}`.split('\n').filter(Boolean).slice(-20);
  throw new IngotError(
    'provisioner/script-failed',
    `${script.name} ended with exit code ${result.exitCode} on this machine; expected ${options.valid_exit_codes.join(' or ')}`,
    { hint: await whyFailed(script, result.exitCode), output },
  );
}

/** A shell says "not found" of a script whose first line, by a Windows line end, names an interpreter that is not there. */
async function whyFailed({ name, path }: Script, exitCode: number): Promise<string> {
  if (exitCode === 127 && /^#![^\n]*\r\n/.test((await readFile(path, 'latin1')).slice(0, 1024)))
    return `${name} has Windows line ends: sed -i 's/\\r$//' ${name}`;
  return 'Its last lines of output are below.';
}

/** Packer's format takes a name, then a value with its single quotes escaped. */
function formatted(variables: Readonly<Record<string, string>>, format: string): string {
  return Object.entries(variables)
    .map(([name, value]) => {
      const words = [name, value.replaceAll("'", "'\\''")];
      return format.replace(/%s/g, () => words.shift() ?? '');
    })
    .join('');
}
