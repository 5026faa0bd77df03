import { IngotError } from '../../core/error.ts';

/** What `run_command` asks of a container, of the options of `docker run` that mean something to a build. */
export interface RunCommand {
  readonly entrypoint?: string;
  readonly cmd: readonly string[];
  readonly env: readonly string[];
  readonly user?: string;
  readonly workingDir?: string;
  readonly hostname?: string;
  readonly network?: string;
  readonly name?: string;
  readonly cgroupns?: string;
  readonly volumes: readonly string[];
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly tmpfs: readonly string[];
  readonly hosts: readonly string[];
  readonly dns: readonly string[];
  readonly securityOpt: readonly string[];
  readonly privileged: boolean;
  readonly init: boolean;
}

/** Options without a value that change nothing: the container runs in the background and keeps its input open anyway. */
const PLAIN = new Set(['-d', '--detach', '-i', '--interactive', '-t', '--tty', '--rm']);
const FLAGS = new Map<string, 'privileged' | 'init'>([
  ['--privileged', 'privileged'],
  ['--init', 'init'],
]);
const VALUES = new Map<string, string>([
  ['-e', 'env'],
  ['--env', 'env'],
  ['-u', 'user'],
  ['--user', 'user'],
  ['-w', 'workingDir'],
  ['--workdir', 'workingDir'],
  ['-h', 'hostname'],
  ['--hostname', 'hostname'],
  ['--network', 'network'],
  ['--net', 'network'],
  ['-v', 'volumes'],
  ['--volume', 'volumes'],
  ['--entrypoint', 'entrypoint'],
  ['--name', 'name'],
  ['--cgroupns', 'cgroupns'],
  ['--cap-add', 'capAdd'],
  ['--cap-drop', 'capDrop'],
  ['--tmpfs', 'tmpfs'],
  ['--add-host', 'hosts'],
  ['--dns', 'dns'],
  ['--security-opt', 'securityOpt'],
]);

const noLists = () => ({
  env: [] as string[],
  volumes: [] as string[],
  capAdd: [] as string[],
  capDrop: [] as string[],
  tmpfs: [] as string[],
  hosts: [] as string[],
  dns: [] as string[],
  securityOpt: [] as string[],
});

/**
 * Reads Packer's `run_command`: arguments of `docker run` up to the image, written `{{.Image}}` (filled in already), then
 * the command. Throws `source/run-command` for an option that has no meaning here.
 */
export function parseRunCommand(args: readonly string[], image: string): RunCommand {
  const bad = (what: string): IngotError =>
    new IngotError('source/run-command', `run_command cannot be followed: ${what}`, {
      hint: `Known are ${[...PLAIN, ...FLAGS.keys(), ...VALUES.keys()].join(' ')}; device, platform and runtime have keys of their own.`,
    });
  const found: Record<string, string> = {};
  const lists = noLists();
  const flags = { privileged: false, init: false };
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at] as string;
    if (arg === '--') {
      at++;
      break;
    }
    if (!arg.startsWith('-') || arg === '-') break;
    if (PLAIN.has(arg) || /^-[dit]+$/.test(arg)) continue;
    const flag = FLAGS.get(arg);
    if (flag !== undefined) {
      flags[flag] = true;
      continue;
    }
    const equals = arg.startsWith('--') ? arg.indexOf('=') : -1;
    const name = VALUES.get(equals < 0 ? arg : arg.slice(0, equals));
    if (name === undefined) throw bad(`it has ${arg}`);
    const value = equals < 0 ? args[++at] : arg.slice(equals + 1);
    if (value === undefined) throw bad(`${arg} has no value`);
    if (Object.hasOwn(lists, name)) lists[name as keyof typeof lists].push(value);
    else found[name] = value;
  }
  if (args[at] !== image) throw bad(`"${args[at] ?? ''}" stands where {{.Image}} should`);
  return { ...found, ...lists, ...flags, cmd: args.slice(at + 1) };
}
