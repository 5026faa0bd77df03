import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Context, logLines, note } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import type { Machine } from '../../core/machine.ts';
import type { StepResult } from '../../core/plugin.ts';
import { quoteWord } from '../../core/shell-words.ts';
import type { AnsibleLocalOptions } from '../ansible-local.ts';
import { pluginText } from '../ansible/control.ts';
import { hasPython, notIdempotent, playbookFailed } from '../ansible/failure.ts';
import { galaxyRuns } from '../ansible/galaxy.ts';
import { readEvent, Recap } from '../ansible/recap.ts';
import { requireUnix } from '../require-unix.ts';
import { groupsOf, playbooksOf } from './lists.ts';
import { type Staged, stage } from './stage.ts';

/** Packer's, without the number of the run, which would make each image another one. Emptied before use. */
const STAGING = '/tmp/packer-provisioner-ansible-local/staging';
/** Lines of output that an error shows. */
const TAIL = 20;
/** Exit code of a shell that did not find the command. */
const NOT_FOUND = 127;

/** Stages the playbooks in the machine and plays them, a second time where they must be idempotent. */
export async function provision(
  machine: Machine,
  options: AnsibleLocalOptions,
  ctx: Context,
): Promise<StepResult> {
  requireUnix(machine, 'ansible-local');
  const directory = options.staging_directory ?? STAGING;
  if (options.staging_directory === undefined) await remove(machine, directory);
  const staged = await stage(
    {
      directory,
      playbooks: playbooksOf(options),
      playbookDir: options.playbook_dir,
      folders: foldersOf(options),
      galaxyFile: options.galaxy_file,
      inventory:
        options.inventory_file === undefined
          ? { groups: groupsOf(options.inventory_groups) }
          : { file: options.inventory_file },
    },
    machine,
    ctx,
  );
  const runner = new Runner(machine, options, directory, staged, ctx);
  try {
    await runner.installGalaxy();
    const first = await runner.playAll();
    if (!options.idempotence) return { summary: first.summary, data: first.toJson() };
    note(ctx, 'idempotence: the playbooks run a second time, and must change nothing');
    const second = await runner.playAll();
    if (second.plays.length === 0) throw noReport();
    if (second.changed.length > 0)
      throw notIdempotent(playbooksOf(options).join(', '), second.changed, directory);
    return {
      summary: `${first.summary}; a second run changed nothing`,
      data: { ...(first.toJson() as object), idempotent: true },
    };
  } finally {
    await remove(machine, options.clean_staging_directory ? directory : runner.reportDir);
  }
}

function foldersOf(o: AnsibleLocalOptions): (readonly [string, string])[] {
  const into = (place: string, paths: readonly string[]): [string, string][] =>
    paths.map((path) => [path, join(place, path.replace(/\/+$/, '').split('/').at(-1) as string)]);
  return [
    ...(o.group_vars === undefined ? [] : [[o.group_vars, 'group_vars'] as const]),
    ...(o.host_vars === undefined ? [] : [[o.host_vars, 'host_vars'] as const]),
    ...into('roles', o.role_paths),
    ...into('collections', o.collection_paths),
    ...into('playbooks', o.playbook_paths),
  ];
}

async function remove(machine: Machine, path: string): Promise<void> {
  await machine.communicator.exec(['rm', '-rf', '--', path]);
}

/** Runs Ansible's commands in the machine. */
class Runner {
  /** Where our callback plugin lies, and writes what became of the tasks. */
  readonly reportDir: string;
  readonly #machine: Machine;
  readonly #options: AnsibleLocalOptions;
  readonly #directory: string;
  readonly #staged: Staged;
  readonly #ctx: Context;

  constructor(
    machine: Machine,
    options: AnsibleLocalOptions,
    directory: string,
    staged: Staged,
    ctx: Context,
  ) {
    this.reportDir = join(directory, '.ingot');
    this.#machine = machine;
    this.#options = options;
    this.#directory = directory;
    this.#staged = staged;
    this.#ctx = ctx;
  }

  async installGalaxy(): Promise<void> {
    const { galaxy_file, galaxy_command, ...o } = this.#options;
    if (galaxy_file === undefined) return;
    const text = await readFile(resolve(this.#ctx.templateDir, galaxy_file), 'utf8');
    const runs = galaxyRuns(text, this.#staged.galaxyFile as string, {
      force: o.galaxy_force_install,
      forceWithDeps: o.galaxy_force_with_deps,
      rolesPath: o.galaxy_roles_path ?? join(this.#directory, 'roles'),
      collectionsPath: o.galaxy_collections_path ?? join(this.#directory, 'collections'),
    });
    for (const args of runs) {
      const { exitCode, tail } = await this.#run(`${galaxy_command} ${args.map(quoteWord).join(' ')}`, {});
      if (exitCode === 0) continue;
      throw new IngotError(
        'provisioner/galaxy-failed',
        `what ${galaxy_file} asks for could not be installed in the machine: exit code ${exitCode}`,
        { hint: 'Its last lines of output are below. Is ansible-galaxy in the image?', output: tail },
      );
    }
  }

  /** Every playbook once. */
  async playAll(): Promise<Recap> {
    const recap = new Recap();
    for (const [i, playbook] of this.#staged.playbooks.entries())
      await this.#play(playbooksOf(this.#options)[i] as string, playbook, recap);
    return recap;
  }

  async #play(name: string, path: string, recap: Recap): Promise<void> {
    const { communicator } = this.#machine;
    await remove(this.#machine, this.reportDir);
    await communicator.exec(['mkdir', '-p', '--', this.reportDir]);
    await communicator.uploadBytes(pluginText('callback'), join(this.reportDir, 'ingot_report.py'));
    const events = join(this.reportDir, 'events');
    const command = [
      this.#options.command,
      quoteWord(path),
      '--extra-vars',
      quoteWord(this.#variables()),
      ...this.#options.extra_arguments,
      '-c local -i',
      quoteWord(this.#staged.inventory),
    ].join(' ');
    const { exitCode, tail } = await this.#run(command, {
      ANSIBLE_CALLBACK_PLUGINS: `${this.reportDir}:~/.ansible/plugins/callback:/usr/share/ansible/plugins/callback`,
      INGOT_ANSIBLE_EVENTS: events,
    });
    await this.#hear(events, recap);
    if (exitCode === 0) return;
    if (exitCode === NOT_FOUND && recap.plays.length === 0) throw missing(this.#options.command, tail);
    const failed = { playbook: name, exitCode, recap, tail, folder: this.#directory };
    throw playbookFailed(failed, await hasPython(this.#machine));
  }

  /** Packer's variables of each play. */
  #variables(): string {
    const { build, step } = this.#ctx;
    const address = this.#machine.generated.get('PackerHTTPAddr');
    return [
      `packer_build_name=${build?.name ?? (step.split('/')[0] as string)}`,
      `packer_builder_type=${build?.type ?? this.#machine.kind}`,
      ...(address === undefined ? [] : [`packer_http_addr=${address}`]),
    ].join(' ');
  }

  async #run(
    command: string,
    env: Readonly<Record<string, string>>,
  ): Promise<{ exitCode: number; tail: string[] }> {
    const tail: string[] = [];
    const log = logLines(this.#ctx);
    let tasks = 0;
    const line = `cd ${quoteWord(this.#directory)} && ${command}`;
    const { exitCode } = await this.#machine.communicator.exec(['/bin/sh', '-c', line], {
      env,
      signal: this.#ctx.signal,
      onLine: (stream, text) => {
        if (text.trim() !== '') tail.push(text);
        if (tail.length > TAIL) tail.shift();
        log(stream, text);
        const what = /^(?:TASK|RUNNING HANDLER) \[(.*)\]/.exec(text)?.[1];
        if (what === undefined) return;
        const { step, emit } = this.#ctx;
        emit({ type: 'step:progress', step, done: ++tasks, unit: 'items', what });
      },
    });
    return { exitCode, tail };
  }

  /** Reads what our callback plugin wrote; a command that drops the environment (sudo) leaves nothing. */
  async #hear(events: string, recap: Recap): Promise<void> {
    const { exitCode } = await this.#machine.communicator.exec(['test', '-f', events]);
    if (exitCode !== 0) return;
    const folder = await mkdtemp(join(this.#ctx.workDir, 'ansible-events-'));
    try {
      await this.#machine.communicator.download(events, join(folder, 'events'));
      for (const line of (await readFile(join(folder, 'events'), 'utf8')).split('\n')) {
        const event = readEvent(line);
        if (event) recap.take(event);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  }
}

function missing(command: string, output: readonly string[]): IngotError {
  return new IngotError('provisioner/ansible-missing', `${command} was not found in the machine`, {
    hint: 'Install Ansible there by an earlier provisioner: apt-get install --yes ansible-core.',
    output,
  });
}

function noReport(): IngotError {
  return new IngotError(
    'provisioner/no-ansible-report',
    'idempotence = true needs to hear of each task, and Ansible has told of none',
    {
      hint: 'The command must keep the environment: `sudo --preserve-env ansible-playbook`, not `sudo ansible-playbook`.',
    },
  );
}
