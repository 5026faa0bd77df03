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
  readonly volumes: readonly string[];
}

/** Options without a value that change nothing: the container runs in the background and keeps its input open anyway. */
const PLAIN = new Set(['-d', '--detach', '-i', '--interactive', '-t', '--tty', '--rm']);
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
]);

/**
 * Reads Packer's `run_command`: arguments of `docker run` up to the image, written `{{.Image}}` (filled in already), then
 * the command. Throws `source/run-command` for an option that has a key of its own or no meaning here.
 */
export function parseRunCommand(args: readonly string[], image: string): RunCommand {
  const bad = (what: string): IngotError =>
    new IngotError('source/run-command', `run_command cannot be followed: ${what}`, {
      hint: `Known are ${[...PLAIN, ...VALUES.keys()].join(' ')}; privileged, cap_add, device, tmpfs and volumes have keys of their own.`,
    });
  const found: Record<string, string> = {};
  const lists: Record<'env' | 'volumes', string[]> = { env: [], volumes: [] };
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at] as string;
    if (arg === '--') {
      at++;
      break;
    }
    if (!arg.startsWith('-') || arg === '-') break;
    if (PLAIN.has(arg) || /^-[dit]+$/.test(arg)) continue;
    const equals = arg.startsWith('--') ? arg.indexOf('=') : -1;
    const name = VALUES.get(equals < 0 ? arg : arg.slice(0, equals));
    if (name === undefined) throw bad(`it has ${arg}`);
    const value = equals < 0 ? args[++at] : arg.slice(equals + 1);
    if (value === undefined) throw bad(`${arg} has no value`);
    if (name === 'env' || name === 'volumes') lists[name].push(value);
    else found[name] = value;
  }
  if (args[at] !== image) throw bad(`"${args[at] ?? ''}" stands where {{.Image}} should`);
  return { ...found, ...lists, cmd: args.slice(at + 1) };
}
