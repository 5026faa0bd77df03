import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import { type Context, logLines } from '../core/context.ts';
import { IngotError } from '../core/error.ts';
import type { Machine } from '../core/machine.ts';
import type { Provisioner } from '../core/plugin.ts';
import { quoteWord } from '../core/shell-words.ts';
import { requireUnix } from './require-unix.ts';
import { StateReader } from './salt-masterless/states.ts';

/** Packer's keys: developer.hashicorp.com/packer/integrations/hashicorp/salt/latest/components/provisioner/salt-masterless. */
const saltSpec = bodySpec(
  {
    local_state_tree: attr.string('Folder of states on this machine.', { required: true }),
    local_pillar_roots: attr.string('Folder of pillars on this machine.'),
    remote_state_tree: attr.string('Where the states go in the machine. Default: /srv/salt.'),
    remote_pillar_roots: attr.string('Where the pillars go in the machine. Default: /srv/pillar.'),
    custom_state: attr.string('A state to apply in place of the highstate.'),
    minion_config: attr.string("The minion's configuration, put into /etc/salt."),
    grains_file: attr.string('Grains, put into /etc/salt.'),
    salt_bin_dir: attr.string('Folder of salt-call in the machine, where it is not on the PATH.'),
    salt_call_args: attr.string('More arguments of salt-call, as a shell reads them.'),
    log_level: attr.string('How much salt-call tells.', { default: 'info' }),
    no_exit_on_failure: attr.bool('A state that fails does not end the build.', { default: false }),
    disable_sudo: attr.bool("No sudo, though the machine's user is not root.", { default: false }),
    temp_config_dir: attr.string('Folder in the machine on the way to those places.', {
      default: '/tmp/salt',
    }),
    skip_bootstrap: attr.bool('Has no effect: Salt is always expected to be in the image.', {
      unhashed: true,
    }),
    bootstrap_args: attr.string('Refused: no bootstrap script is run.'),
    formulas: attr.strings('Refused: states come from local_state_tree alone.', { default: [] }),
    guest_os_type: attr.string('`unix`; `windows` is refused.', { default: 'unix' }),
  },
  {},
  (o): OptionProblem[] => {
    const problems: OptionProblem[] = [];
    if (o.bootstrap_args !== undefined) {
      problems.push({
        path: ['bootstrap_args'],
        message: 'bootstrap_args is for a script that is fetched and run as root, which nothing verifies',
        hint: 'Install Salt by an earlier provisioner, from packages, and leave this out.',
      });
    }
    if (o.formulas.length > 0) {
      problems.push({
        path: ['formulas'],
        message: 'formulas are fetched from git while the build runs, so no digest knows what they are',
        hint: 'Put them into local_state_tree, as submodules or copies.',
      });
    }
    if (o.guest_os_type.toLowerCase() !== 'unix')
      problems.push({ path: ['guest_os_type'], message: 'Windows machines need WinRM, which Ingot lacks' });
    if (o.minion_config !== undefined && (o.remote_state_tree ?? o.remote_pillar_roots) !== undefined) {
      problems.push({
        path: ['minion_config'],
        message:
          'minion_config says itself where states and pillars are; remote_state_tree and remote_pillar_roots do not go with it',
      });
    }
    return problems;
  },
);

type SaltOptions = OptionsOf<typeof saltSpec>;

const STATES = '/srv/salt';
const PILLARS = '/srv/pillar';
/** Lines of output that an error shows. */
const TAIL = 20;
/** What git keeps in a folder is no state. */
const EXCLUDED = ['.git'];

/** `provisioner "salt-masterless"`: brings Salt states into the machine and applies them there. */
export const saltMasterlessProvisioner: Provisioner<SaltOptions> = {
  type: 'salt-masterless',
  version: 1,
  schema: async () => saltSpec,
  files: (o, templateDir) => [
    ...[o.local_state_tree, o.local_pillar_roots].flatMap((path) => contentOf(path, templateDir)),
    ...[o.minion_config, o.grains_file].filter((path) => path !== undefined),
  ],

  async provision(machine, options, ctx) {
    requireUnix(machine, 'salt-masterless');
    const salt = new Salt(machine, options, ctx);
    await salt.requireSalt();
    await salt.bring();
    return await salt.apply();
  },
};

/** A folder's entries, but for those of git; a missing folder itself, which planning then names. */
function contentOf(path: string | undefined, templateDir: string): string[] {
  if (path === undefined) return [];
  const real = resolve(templateDir, path);
  if (!statSync(real, { throwIfNoEntry: false })?.isDirectory()) return [path];
  return readdirSync(real)
    .filter((name) => !EXCLUDED.includes(name))
    .sort()
    .map((name) => join(path, name));
}

class Salt {
  readonly #machine: Machine;
  readonly #options: SaltOptions;
  readonly #ctx: Context;
  readonly #sudo: string;
  readonly #command: string;

  constructor(machine: Machine, options: SaltOptions, ctx: Context) {
    this.#machine = machine;
    this.#options = options;
    this.#ctx = ctx;
    const isRoot = String(machine.generated.get('User') ?? 'root') === 'root';
    this.#sudo = isRoot || options.disable_sudo ? '' : 'sudo ';
    this.#command = join(options.salt_bin_dir ?? '', 'salt-call');
  }

  async requireSalt(): Promise<void> {
    const argv = ['/bin/sh', '-c', 'command -v "$1"', 'sh', this.#command];
    if ((await this.#machine.communicator.exec(argv)).exitCode === 0) return;
    throw new IngotError('provisioner/salt-missing', `${this.#command} was not found in the machine`, {
      hint: "Install Salt there by an earlier provisioner; Packer's bootstrap script is not run, since nothing verifies it.",
    });
  }

  /** Puts everything where Salt looks for it, by way of a folder that any user may write to. */
  async bring(): Promise<void> {
    const o = this.#options;
    await this.#must(`mkdir -p ${quoteWord(o.temp_config_dir)}`);
    await this.#bringFile(o.minion_config, 'minion');
    await this.#bringFile(o.grains_file, 'grains');
    await this.#bringFolder(o.local_state_tree, 'states', o.remote_state_tree ?? STATES);
    await this.#bringFolder(o.local_pillar_roots, 'pillar', o.remote_pillar_roots ?? PILLARS);
    await this.#must(`rmdir ${quoteWord(o.temp_config_dir)} 2>/dev/null || true`);
  }

  async apply(): Promise<{ summary?: string; data: ReturnType<StateReader['toJson']> }> {
    const tail: string[] = [];
    const states = new StateReader();
    const log = logLines(this.#ctx);
    const { exitCode } = await this.#machine.communicator.exec(['/bin/sh', '-c', this.#saltCall()], {
      signal: this.#ctx.signal,
      onLine: (stream, line) => {
        if (line.trim() !== '') tail.push(line);
        if (tail.length > TAIL) tail.shift();
        if (stream === 'stdout') states.take(line);
        log(stream, line);
      },
    });
    states.end();
    const { summary } = states;
    if (exitCode !== 0 && !this.#options.no_exit_on_failure) throw failed(exitCode, states, tail);
    return { ...(summary !== undefined && { summary }), data: states.toJson() };
  }

  #saltCall(): string {
    const o = this.#options;
    const roots =
      o.minion_config === undefined
        ? [
            `--file-root=${quoteWord(o.remote_state_tree ?? STATES)}`,
            `--pillar-root=${quoteWord(o.remote_pillar_roots ?? PILLARS)}`,
          ]
        : [];
    return [
      `${this.#sudo}${quoteWord(this.#command)} --local`,
      o.custom_state === undefined ? 'state.highstate' : `state.sls ${quoteWord(o.custom_state)}`,
      ...roots,
      ...(o.no_exit_on_failure ? [] : ['--retcode-passthrough']),
      `-l ${quoteWord(o.log_level)}`,
      ...(o.salt_call_args === undefined ? [] : [o.salt_call_args]),
    ].join(' ');
  }

  async #bringFile(source: string | undefined, name: string): Promise<void> {
    if (source === undefined) return;
    const onTheWay = join(this.#options.temp_config_dir, name);
    await this.#machine.communicator.upload(resolve(this.#ctx.templateDir, source), onTheWay);
    await this.#must(`${this.#sudo}mkdir -p /etc/salt`);
    await this.#must(`${this.#sudo}mv -f ${quoteWord(onTheWay)} /etc/salt/${name}`);
  }

  async #bringFolder(source: string | undefined, name: string, destination: string): Promise<void> {
    if (source === undefined) return;
    const onTheWay = join(this.#options.temp_config_dir, name);
    const from = `${resolve(this.#ctx.templateDir, source)}/`;
    await this.#must(`rm -rf ${quoteWord(onTheWay)} && mkdir -p ${quoteWord(onTheWay)}`);
    await this.#machine.communicator.uploadDirectory(from, onTheWay, EXCLUDED);
    await this.#must(`${this.#sudo}mkdir -p ${quoteWord(join(destination, '..'))}`);
    await this.#must(`${this.#sudo}rm -rf ${quoteWord(destination)}`);
    await this.#must(`${this.#sudo}mv ${quoteWord(onTheWay)} ${quoteWord(destination)}`);
  }

  async #must(command: string): Promise<void> {
    const { exitCode, stderr } = await this.#machine.communicator.exec(['/bin/sh', '-c', command]);
    if (exitCode === 0) return;
    throw new IngotError(
      'provisioner/no-staging',
      `${command} ended with exit code ${exitCode} in the machine`,
      {
        hint: "May the machine's user do that? As another user than root it needs sudo without a password.",
        output: stderr.split('\n').filter(Boolean),
      },
    );
  }
}

function failed(exitCode: number, states: StateReader, output: readonly string[]): IngotError {
  const which = states.failed.map(({ id, comment }) => `state ${JSON.stringify(id)}: ${comment}`).join('; ');
  return new IngotError(
    'provisioner/states-failed',
    `salt-call ended with exit code ${exitCode}: ${which === '' ? 'no state had failed' : which}`,
    { hint: 'Its last lines of output are below; log_level = "debug" tells more.', output },
  );
}
