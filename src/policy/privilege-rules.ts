import type { Finding } from './finding.ts';
import { globMatcher } from './glob.ts';
import { RuleError } from './rule-error.ts';
import { CAPABILITIES } from './capabilities.ts';
import { nearest } from '../template/index.ts';

/** A file that gives whoever runs it more than he has. */
export interface PrivilegedFile {
  readonly path: string;
  /** `setuid`, `setgid`, and names of capabilities, sorted. */
  readonly privileges: readonly string[];
  readonly uid: number;
  readonly gid: number;
}

interface PrivilegeRule {
  readonly matches: (path: string) => boolean;
  /** Absent: whatever it has. */
  readonly privileges?: readonly string[];
}

const BITS = ['setuid', 'setgid'];

/** Reads `/path`, or `/path setuid`, `/path cap_net_raw,cap_net_admin`: what the file may have. Throws RuleError. */
export function parsePrivilegeRule(text: string, lists: readonly string[] = []): PrivilegeRule {
  const [path = '', privileges, ...more] = text.trim().split(/\s+/);
  if (!path.startsWith('/') || more.length > 0) {
    const known = lists.length === 0 ? '' : `, or one of the lists ${lists.join(', ')}`;
    throw new RuleError(
      `"${text}" is no absolute path${known}`,
      'Write "/usr/bin/sudo", or "/usr/bin/sudo setuid" to say what it may have.',
    );
  }
  const named = privileges?.split(',');
  const unknown = named?.find((name) => !BITS.includes(name) && !CAPABILITIES.includes(name));
  if (unknown !== undefined) {
    const near = nearest(unknown, [...BITS, ...CAPABILITIES]);
    throw new RuleError(
      `"${text}": "${unknown}" is neither setuid, setgid nor a capability`,
      near === undefined ? 'Capabilities are named as in capabilities(7).' : `Did you mean "${near}"?`,
    );
  }
  return { matches: globMatcher(path), ...(named && { privileges: named }) };
}

/** A shipped list: a rule a line; what stands behind `#` says why. */
export function readPrivilegeList(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
}

/** Privileged files that no rule allows, or that have more than it allows. */
export function unexpectedPrivileges(
  files: readonly PrivilegedFile[],
  rules: readonly string[],
): readonly Finding[] {
  const parsed = rules.map((rule) => parsePrivilegeRule(rule));
  return files.flatMap(({ path, privileges, uid, gid }): Finding[] => {
    const allowed = parsed
      .filter((rule) => rule.matches(path))
      .flatMap((rule) => rule.privileges ?? privileges);
    const extra = privileges.filter((p) => !allowed.includes(p));
    if (extra.length === 0) return [];
    const may =
      allowed.length === 0 ? 'allow_privileged does not name it' : `only ${allowed.join(', ')} is allowed`;
    const remedy = remedyOf(extra, path);
    return [
      {
        id: `privileged:${path}`,
        code: 'policy/privileged-file',
        message: `${path} (owner ${uid}:${gid}) has ${extra.join(', ')}; ${may}. Run \`${remedy}\` in a provisioner, or allow it.`,
      },
    ];
  });
}

function remedyOf(extra: readonly string[], path: string): string {
  const bits = [...(extra.includes('setuid') ? ['u-s'] : []), ...(extra.includes('setgid') ? ['g-s'] : [])];
  const commands = bits.length > 0 ? [`chmod ${bits.join(',')} ${path}`] : [];
  if (extra.some((name) => !BITS.includes(name))) commands.push(`setcap -r ${path}`);
  return commands.join(' && ');
}
