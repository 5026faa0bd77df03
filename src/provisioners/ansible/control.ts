import { readFileSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

/** Variables of the user that Ansible's control side gets; all others stay out, as in any step that is cached. */
const KEPT =
  /^(?:PATH|HOME|USER|LOGNAME|VIRTUAL_ENV|SSH_AUTH_SOCK|SSL_CERT_FILE|SSL_CERT_DIR|(?:https?|no|all)_proxy|(?:HTTPS?|NO|ALL)_PROXY|ANSIBLE_\w+)$/;

/** Ansible's own defaults of the settings that we extend (docs.ansible.com, "Ansible Configuration Settings"). */
const DEFAULTS = {
  callback: '~/.ansible/plugins/callback:/usr/share/ansible/plugins/callback',
  connection: '~/.ansible/plugins/connection:/usr/share/ansible/plugins/connection',
} as const;

/** Our plugins for Ansible, by kind. */
const PLUGINS = { callback: 'ingot_report.py', connection: 'ingot.py' } as const;
type PluginKind = keyof typeof PLUGINS;

/** The text of one of our plugins: beside this file in the sources, and beside the bundle. */
export function pluginText(kind: PluginKind): string {
  return readFileSync(new URL(`./${PLUGINS[kind]}`, import.meta.url), 'utf8');
}

/** Writes one of our plugins into a folder of its kind below `dir`; answers that folder. */
async function writePlugin(kind: PluginKind, dir: string): Promise<string> {
  const folder = join(dir, kind);
  await mkdir(folder);
  await writeFile(join(folder, PLUGINS[kind]), pluginText(kind));
  return folder;
}

export interface ControlOptions {
  /** Scratch folder, for our plugins. */
  readonly dir: string;
  /** Socket of the bridge. */
  readonly socket: string;
  /** Where Ansible runs, and finds its ansible.cfg. */
  readonly cwd: string;
  /** `ansible_env_vars` */
  readonly variables: Readonly<Record<string, string>>;
  /** SOURCE_DATE_EPOCH */
  readonly epoch: number;
}

/** The environment of `ansible-playbook` on this machine: clean, with Ansible's own variables and our plugins. */
export async function controlEnvironment(options: ControlOptions): Promise<Record<string, string>> {
  const user = Object.entries(process.env).filter(([name]) => KEPT.test(name)) as [string, string][];
  const env: Record<string, string> = {
    ...Object.fromEntries(user),
    // What Python would write beside the user's plugins would look like an edit of them.
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUNBUFFERED: '1',
    SOURCE_DATE_EPOCH: String(options.epoch),
    // What a killed run would leave in the user's home goes with our folder.
    ANSIBLE_LOCAL_TEMP: join(options.dir, 'tmp'),
    ...options.variables,
    INGOT_ANSIBLE_SOCKET: options.socket,
  };
  for (const kind of Object.keys(PLUGINS) as PluginKind[]) {
    const name = `ANSIBLE_${kind.toUpperCase()}_PLUGINS`;
    const theirs = env[name] ?? configured(`${kind}_plugins`, env, options.cwd) ?? DEFAULTS[kind];
    env[name] = `${await writePlugin(kind, options.dir)}:${theirs}`;
  }
  return env;
}

/** A list of folders in the user's ansible.cfg, which our variable would hide; absolute. */
function configured(key: string, env: Readonly<Record<string, string>>, cwd: string): string | undefined {
  const file = configFile(env, cwd);
  if (file === undefined) return undefined;
  let section = '';
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    section = /^\[([^\]]+)\]/.exec(line)?.[1] ?? section;
    const [, name, value] = /^([a-z_]+)\s*[=:]\s*(.*?)\s*(?:\s;.*)?$/.exec(line) ?? [];
    if (section !== 'defaults' || name !== key || value === undefined) continue;
    return value
      .split(':')
      .map((folder) => (isAbsolute(folder) || /^[~$]/.test(folder) ? folder : join(dirname(file), folder)))
      .join(':');
  }
  return undefined;
}

/** The first that is there, in Ansible's order. One in a folder that all may write to is passed over, as Ansible does. */
function configFile(env: Readonly<Record<string, string>>, cwd: string): string | undefined {
  const given = env.ANSIBLE_CONFIG;
  const own = given === undefined ? [] : [given, join(given, 'ansible.cfg')];
  const here = (statSync(cwd).mode & 0o002) === 0 ? [join(cwd, 'ansible.cfg')] : [];
  const candidates = [
    ...own,
    ...here,
    join(env.HOME ?? homedir(), '.ansible.cfg'),
    '/etc/ansible/ansible.cfg',
  ];
  return candidates.find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}
