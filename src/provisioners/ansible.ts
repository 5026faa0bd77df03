import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import { type Context, logLines, note } from '../core/context.ts';
import { IngotError } from '../core/error.ts';
import type { Machine } from '../core/machine.ts';
import type { Provisioner } from '../core/plugin.ts';
import { Scope } from '../core/scope.ts';
import { readAssignments } from '../core/shell-words.ts';
import { openBridge } from './ansible/bridge.ts';
import { controlEnvironment } from './ansible/control.ts';
import { type FailedRun, hasPython, notIdempotent, playbookFailed } from './ansible/failure.ts';
import { galaxyRuns } from './ansible/galaxy.ts';
import { BESIDE_INVENTORY, Inputs, unhashed } from './ansible/inputs.ts';
import { type InventoryOptions, writeInventory } from './ansible/inventory.ts';
import { badNames, noPassThrough } from './ansible/options.ts';
import { Recap } from './ansible/recap.ts';
import { requireUnix } from './require-unix.ts';

/** Packer's keys: developer.hashicorp.com/packer/integrations/hashicorp/ansible/latest/components/provisioner/ansible. */
const ansibleSpec = bodySpec(
  {
    playbook_file: attr.string('The playbook, on this machine.', { required: true }),
    command: attr.string('The command that runs it: a program, not a shell line.', {
      default: 'ansible-playbook',
    }),
    extra_arguments: attr.strings('More arguments of the command, each passed as it is.', { default: [] }),
    ansible_env_vars: attr.strings('`NAME=value` variables of the command.', { default: [] }),
    groups: attr.strings("Groups that the machine is in, in Ansible's inventory.", { default: [] }),
    empty_groups: attr.strings('Groups that are there, with no host in them.', { default: [] }),
    host_alias: attr.string("The machine's name in the inventory; without effect on an inventory_file.", {
      default: 'default',
    }),
    user: attr.string("`ansible_user`: whom to act as in the machine. Default: the machine's own user."),
    inventory_file: attr.string('An inventory of yours. Where it has more hosts than one, say --limit.'),
    inventory_file_template: attr.string(
      "The inventory's line of the machine: {{ .HostAlias }}, {{ .Host }}, {{ .User }}, {{ .Port }}.",
      { goTemplate: true },
    ),
    inventory_directory: attr.string('Folder whose group_vars and host_vars belong to the inventory.'),
    keep_inventory_file: attr.bool('Leaves the inventory that was made, and says where.', {
      default: false,
      unhashed: true,
    }),
    galaxy_file: attr.string('Requirements that ansible-galaxy installs on this machine first.'),
    galaxy_command: attr.string('The command of Ansible Galaxy.', { default: 'ansible-galaxy' }),
    galaxy_force_install: attr.bool('Installs anew what is there.', { default: false }),
    galaxy_force_with_deps: attr.bool('Installs anew what is there, and what that needs.', {
      default: false,
    }),
    roles_path: attr.string('Folder on this machine that roles are installed into.'),
    collections_path: attr.string('Folder on this machine that collections are installed into.'),
    skip_version_check: attr.bool('Does not ask for the version of Ansible first.', {
      default: false,
      unhashed: true,
    }),
    use_proxy: attr.bool('Has no effect: Ansible always reaches the machine through Ingot.', {
      unhashed: true,
    }),
    local_port: attr.number('Has no effect: there is no SSH proxy.', { unhashed: true }),
    ssh_host_key_file: attr.string('Has no effect: there is no SSH proxy.', { unhashed: true }),
    ssh_authorized_key_file: attr.string('Has no effect: there is no SSH proxy.', { unhashed: true }),
    ansible_proxy_key_type: attr.string('Has no effect: there is no SSH proxy.', { unhashed: true }),
    ansible_ssh_extra_args: attr.strings('Has no effect: there is no SSH proxy.', { unhashed: true }),
    sftp_command: attr.string('Has no effect: there is no SSH proxy.', { unhashed: true }),
    use_sftp: attr.bool('Has no effect: there is no SSH proxy.', { unhashed: true }),
    ansible_winrm_use_http: attr.bool('Refused: there is no WinRM yet.', { unhashed: true }),
    idempotence: attr.bool('Runs the playbook a second time, which must change nothing. (Ingot)', {
      default: false,
    }),
    inputs: attr.strings('More files and folders that the playbook reads, for the digest. (Ingot)', {
      default: [],
    }),
  },
  {},
  (o): OptionProblem[] => {
    const { bad } = readAssignments(o.ansible_env_vars, {});
    return [
      ...badNames('groups', o.groups),
      ...badNames('empty_groups', o.empty_groups),
      ...badNames('host_alias', [o.host_alias]),
      ...noPassThrough(o, [
        'local_port',
        'ssh_host_key_file',
        'ssh_authorized_key_file',
        'ansible_proxy_key_type',
        'ansible_ssh_extra_args',
        'sftp_command',
        'use_sftp',
      ]),
      ...(bad === undefined
        ? []
        : [{ path: ['ansible_env_vars'], message: `${JSON.stringify(bad)} is no NAME=value` }]),
      ...(o.ansible_winrm_use_http
        ? [{ path: ['ansible_winrm_use_http'], message: 'Windows machines need WinRM, which Ingot lacks' }]
        : []),
    ];
  },
);

type AnsibleOptions = OptionsOf<typeof ansibleSpec>;

/** Lines of output that an error shows. */
const TAIL = 20;
/** Exit code of env(1) where the command is not found. */
const NOT_FOUND = 127;
/** A socket's path has 107 bytes at most (unix(7)): a temporary folder with a longer name than this is no use. */
const LONGEST_TMPDIR = 60;

/** `provisioner "ansible"`: ansible-playbook on this machine, acting in the machine of the build (SECURITY.md). */
export const ansibleProvisioner: Provisioner<AnsibleOptions> = {
  type: 'ansible',
  version: 1,
  schema: async () => ansibleSpec,
  files: (o, templateDir) => inputsOf(o, templateDir),

  async provision(machine, options, ctx) {
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
  },
};

function inputsOf(o: AnsibleOptions, templateDir: string): readonly string[] {
  const beside = (folder: string | undefined): string[] =>
    folder === undefined ? [] : BESIDE_INVENTORY.map((name) => join(folder, name));
  return new Inputs(templateDir)
    .playbook(o.playbook_file)
    .need(o.galaxy_file, o.inventory_file, ...o.inputs)
    .may('ansible.cfg', o.roles_path, o.collections_path, ...beside(o.inventory_directory))
    .may(...(o.inventory_file === undefined ? [] : beside(join(o.inventory_file, '..'))))
    .extraArguments(o.extra_arguments)
    .list();
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
