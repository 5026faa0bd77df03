import { quoteWord } from '../../core/shell-words.ts';

/** An entry of the machine's passwd(5). */
export interface SshUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

export interface CommandText {
  /** Who has logged in. */
  readonly login: Pick<SshUser, 'uid'>;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Another user to run it as. */
  readonly user?: SshUser;
}

/** Moves to a folder and runs the words; both words of its own go first. */
const RUN = 'umask 022; if [ -n "$1" ]; then cd -- "$1" || exit 1; fi; shift; exec env "$@"';

/**
 * The text that a login shell of any POSIX kind reads as one command: sshd hands it to the user's shell with `-c`
 * (RFC 4254, section 6.5). The last `exit` keeps the shell there, so that a signal becomes an exit code.
 */
export function commandText(argv: readonly string[], o: CommandText): string {
  const { user } = o;
  const env = { ...o.env, ...(user && { HOME: user.home, USER: user.name, LOGNAME: user.name }) };
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const words = [...asUser(o.login, user), '/bin/sh', '-c', RUN, 'sh', o.cwd ?? '', ...variables, ...argv];
  return `${words.map(quoteWord).join(' ')}; exit $?`;
}

function asUser(login: Pick<SshUser, 'uid'>, user: SshUser | undefined): string[] {
  if (user === undefined || user.uid === login.uid) return [];
  return login.uid === 0
    ? ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--init-groups', '--']
    : ['sudo', '-n', '-H', '-u', user.name, '--'];
}

/** One line of passwd(5), or undefined. */
export function parsePasswd(line: string): SshUser | undefined {
  const [name, , uid, gid, , home] = line.trim().split(':');
  if (!name || !/^\d+$/.test(uid ?? '') || !/^\d+$/.test(gid ?? '')) return undefined;
  return { name, uid: Number(uid), gid: Number(gid), home: home || '/' };
}
