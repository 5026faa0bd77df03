import { posix } from 'node:path';
import type { Rootfs } from '../../core/rootfs.ts';
import { textIfThere } from '../goss/systems/accounts.ts';

const MAIN = '/etc/ssh/sshd_config';
const DEPTH = 16;

/** What OpenSSH 9 takes where nobody says otherwise (sshd_config(5)), of what hardening asks about. */
const DEFAULTS: ReadonlyMap<string, string> = new Map([
  ['allowagentforwarding', 'yes'],
  ['allowtcpforwarding', 'yes'],
  ['clientalivecountmax', '3'],
  ['clientaliveinterval', '0'],
  ['disableforwarding', 'no'],
  ['gatewayports', 'no'],
  ['hostbasedauthentication', 'no'],
  ['ignorerhosts', 'yes'],
  ['kbdinteractiveauthentication', 'yes'],
  ['logingracetime', '120'],
  ['loglevel', 'INFO'],
  ['maxauthtries', '6'],
  ['maxsessions', '10'],
  ['passwordauthentication', 'yes'],
  ['permitemptypasswords', 'no'],
  ['permitrootlogin', 'without-password'],
  ['permittunnel', 'no'],
  ['permituserenvironment', 'no'],
  ['strictmodes', 'yes'],
  ['usepam', 'no'],
  ['x11forwarding', 'no'],
]);

/** Keywords of older releases. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['challengeresponseauthentication', 'kbdinteractiveauthentication'],
  ['skeyauthentication', 'kbdinteractiveauthentication'],
]);

const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const TIMES = new Set(['logingracetime', 'clientaliveinterval']);

/**
 * What `sshd -T` would print of the configuration in an image, line by line: of each keyword the first value counts, files
 * of `Include` are read where it stands, and what stands below `Match` holds for some connections only (sshd_config(5)).
 * Of keywords that nobody set, those that hardening asks about are there with their defaults.
 */
export function effectiveSshd(root: Rootfs): string {
  const values = new Map<string, string>();
  read(root, MAIN, values, 0);
  const all = new Map([...DEFAULTS, ...values]);
  return [...all]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([keyword, value]) => `${keyword} ${value}\n`)
    .join('');
}

function read(root: Rootfs, path: string, values: Map<string, string>, depth: number): void {
  let within = false;
  for (const line of textIfThere(root, path).split('\n')) {
    const match = /^\s*([A-Za-z][A-Za-z0-9]*)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(line);
    if (!match) continue;
    const written = (match[1] as string).toLowerCase();
    const keyword = ALIASES.get(written) ?? written;
    const value = (match[2] as string).replace(/\s+#.*$/, '').replaceAll('"', '');
    // A Match ends with its file, or with the next one.
    if (keyword === 'match') within = value.toLowerCase() !== 'all';
    else if (within) continue;
    else if (keyword === 'include' && depth < DEPTH) {
      for (const pattern of value.split(/\s+/))
        for (const file of root.glob(posix.resolve('/etc/ssh', pattern))) read(root, file, values, depth + 1);
    } else if (!values.has(keyword)) values.set(keyword, normal(keyword, value));
  }
}

/** As sshd prints it: times in seconds, and one word for each meaning. */
function normal(keyword: string, value: string): string {
  if (keyword === 'permitrootlogin' && value === 'prohibit-password') return 'without-password';
  if (keyword === 'loglevel') return value.toUpperCase();
  if (TIMES.has(keyword)) return String(seconds(value) ?? value);
  return /^(?:yes|no)$/i.test(value) ? value.toLowerCase() : value;
}

function seconds(text: string): number | undefined {
  if (!/^(?:\d+[smhdw]?)+$/i.test(text)) return undefined;
  let sum = 0;
  for (const [, count = '', unit = ''] of text.toLowerCase().matchAll(/(\d+)([smhdw]?)/g))
    sum += Number(count) * (UNITS[unit] ?? 1);
  return sum;
}
