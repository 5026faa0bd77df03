import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Context, logLines, note } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import type { Machine } from '../../core/machine.ts';
import type { StepResult } from '../../core/plugin.ts';
import { Scope } from '../../core/scope.ts';
import { readAssignments } from '../../core/shell-words.ts';
import type { AnsibleOptions } from '../ansible.ts';
import { openBridge } from './bridge.ts';
import { controlEnvironment } from './control.ts';
import { type FailedRun, hasPython, notIdempotent, playbookFailed } from './failure.ts';
import { galaxyRuns } from './galaxy.ts';
import { unhashed } from './inputs.ts';
import { inputsOf } from './inputs-of.ts';
import { type InventoryOptions, writeInventory } from './inventory.ts';
import { Recap } from './recap.ts';
import { requireUnix } from '../require-unix.ts';

/** Lines of output that an error shows. */
const TAIL = 20;
/** Exit code of env(1) where the command is not found. */
const NOT_FOUND = 127;
/** A socket's path has 107 bytes at most (unix(7)): a temporary folder with a longer name than this is no use. */
const LONGEST_TMPDIR = 60;

/** Plays the playbook on the machine, a second time where it must be idempotent. */
export async function provision(
  machine: Machine,
  options: AnsibleOptions,
  ctx: Context,
): Promise<StepResult> {
  requireUnix(machine, 'ansible');
  const python = await hasPython(machine);
  await using scope = new Scope();
  const temporary = tmpdir().length > LONGEST_TMPDIR ? '/tmp' : tmpdir();
  const { dir } = scope.use(await ctx.host.scratch(temporary, 'ingot-ansible-'), "Ansible's folder");
  const control = await openControl(machine, options, dir, ctx);
  if (!options.skip_version_check) await control.checkVersion();
  if (options.galaxy_file !== undefined) await control.installGalaxy(options.galaxy_file);
  const first = await control.play(python);
  tellUnhashed(first, options, dir, ctx);
  if (!options.idempotence) return { summary: first.summary, data: first.toJson() };
  note(ctx, 'idempotence: the playbook runs a second time, and must change nothing');
  const second = await control.play(python);
  if (second.changed.length > 0)
    throw notIdempotent(options.playbook_file, second.changed, resolve(ctx.templateDir));
  return {
    summary: `${first.summary}; a second run changed nothing`,
    data: { ...(first.toJson() as object), idempotent: true },
  };
}

/** The commands of Ansible on this machine, with all that they share. */
interface Control {
  checkVersion(): Promise<void>;
  installGalaxy(file: string): Promise<void>;
  play(python: boolean): Promise<Recap>;
}

async function openControl(
  machine: Machine,
  options: AnsibleOptions,
  dir: string,
  ctx: Context,
): Promise<Control> {
  const socket = join(dir, 'socket');
  const user = String(machine.generated.get('User') ?? 'root');
  const inventory = await inventoryOf(machine, options, dir, user, ctx);
  const env = await controlEnvironment({
    dir,
    socket,
    cwd: ctx.templateDir,
    epoch: ctx.epoch,
    variables: {
      // The user's own inventory lines say nothing of our connection.
      ...((options.inventory_file ?? options.inventory_file_template) !== undefined && {
        ANSIBLE_TRANSPORT: 'ingot',
      }),
      ...readAssignments(options.ansible_env_vars, {}).variables,
    },
  });
  /** Runs a command of the user's PATH. */
  const run = async (command: string, args: readonly string[], onLine: ReturnType<typeof logLines>) => {
    const { exitCode } = await ctx.host.run('env', ['--', command, ...args], {
      cwd: ctx.templateDir,
      env,
      okCodes: 'any',
      maxBytes: 1024,
      signal: ctx.signal,
      onLine,
    });
    if (exitCode === NOT_FOUND) throw missing(command);
    return exitCode;
  };
  return {
    async checkVersion() {
      const lines: string[] = [];
      const exitCode = await run(options.command, ['--version'], (_stream, line) => lines.push(line));
      if (exitCode !== 0 || !/\d+\.\d+/.test(lines[0] ?? '')) throw missing(options.command, lines);
      note(ctx, lines[0] as string);
    },

    async installGalaxy(file) {
      const text = await readFile(resolve(ctx.templateDir, file), 'utf8');
      const how = {
        force: options.galaxy_force_install,
        forceWithDeps: options.galaxy_force_with_deps,
        rolesPath: options.roles_path,
        collectionsPath: options.collections_path,
      };
      for (const args of galaxyRuns(text, file, how)) {
        const tail: string[] = [];
        const exitCode = await run(options.galaxy_command, args, keepTail(tail, ctx));
        if (exitCode !== 0) throw galaxyFailed(file, exitCode, tail);
      }
    },

    async play(python) {
      const recap = new Recap();
      const tail: string[] = [];
      await using bridge = await openBridge(
        socket,
        machine,
        user,
        (event) => {
          recap.take(event);
          if (event.event !== 'task') return;
          const { step, emit } = ctx;
          emit({ type: 'step:progress', step, done: recap.tasks, unit: 'items', what: event.name });
        },
        ctx,
      );
      const playbook = resolve(ctx.templateDir, options.playbook_file);
      const args = [...buildVariables(machine, ctx), ...options.extra_arguments, '-i', inventory, playbook];
      const exitCode = await run(options.command, args, keepTail(tail, ctx));
      await bridge.settled();
      if (exitCode === 0) return recap;
      const failed: FailedRun = {
        playbook: options.playbook_file,
        exitCode,
        recap,
        tail,
        folder: resolve(ctx.templateDir),
      };
      throw playbookFailed(failed, python);
    },
  };
}

/** Packer's variables of each play. */
function buildVariables(machine: Machine, ctx: Context): string[] {
  const address = machine.generated.get('PackerHTTPAddr');
  return [
    `packer_build_name=${JSON.stringify(ctx.build?.name ?? (ctx.step.split('/')[0] as string))}`,
    `packer_builder_type=${ctx.build?.type ?? machine.kind}`,
    ...(address === undefined ? [] : [`packer_http_addr=${address}`]),
  ].flatMap((variable) => ['-e', variable]);
}

/** Path of the inventory: the user's, or one with the machine in it. */
async function inventoryOf(
  machine: Machine,
  options: AnsibleOptions,
  dir: string,
  user: string,
  ctx: Context,
): Promise<string> {
  if (options.inventory_file !== undefined) return resolve(ctx.templateDir, options.inventory_file);
  const generated = Object.fromEntries([...machine.generated].map(([name, value]) => [name, String(value)]));
  const inventory: InventoryOptions = {
    hostAlias: options.host_alias,
    groups: options.groups,
    emptyGroups: options.empty_groups,
    template: options.inventory_file_template,
    directory:
      options.inventory_directory === undefined
        ? undefined
        : resolve(ctx.templateDir, options.inventory_directory),
    values: { Host: 'localhost', Port: '22', ...generated, User: options.user ?? user },
  };
  if (options.keep_inventory_file) {
    const kept = await mkdtemp(join(tmpdir(), 'ingot-inventory-'));
    note(ctx, `the inventory is kept: ${await writeInventory(kept, inventory)}`);
  }
  return await writeInventory(dir, inventory);
}

function keepTail(tail: string[], ctx: Context): ReturnType<typeof logLines> {
  const log = logLines(ctx);
  return (stream, line) => {
    if (line.trim() !== '') tail.push(line);
    if (tail.length > TAIL) tail.shift();
    log(stream, line);
  };
}

function missing(command: string, output: readonly string[] = []): IngotError {
  return new IngotError('provisioner/ansible-missing', `${command} cannot be run on this machine`, {
    hint: 'apt-get install ansible (or ansible-core), or name the program by `command`.',
    output,
  });
}

function galaxyFailed(file: string, exitCode: number, output: readonly string[]): IngotError {
  return new IngotError(
    'provisioner/galaxy-failed',
    `what ${file} asks for could not be installed: ansible-galaxy ended with exit code ${exitCode}`,
    { hint: 'Its last lines of output are below. Is its server reachable from this machine?', output },
  );
}

/** Warns of files that the playbook read and the step's digest does not know: their edit would go unseen. */
function tellUnhashed(recap: Recap, options: AnsibleOptions, dir: string, ctx: Context): void {
  const paths = unhashed(recap.loaded, inputsOf(options, ctx.templateDir), [dir], resolve(ctx.templateDir));
  if (paths.length === 0) return;
  ctx.emit({
    type: 'diagnostic',
    diagnostic: {
      code: 'provisioner/unhashed-input',
      severity: 'warning',
      message: `${options.playbook_file} also reads ${paths.join(', ')}: an edit there does not run this step again`,
      hint: `Name them in the provisioner: inputs = ${JSON.stringify(paths)}.`,
    },
  });
}
