import type { Rootfs } from '../../../core/rootfs.ts';
import { IngotError } from '../../../core/error.ts';

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

export interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** Users by passwd(5); damaged lines are passed over, and of a name the first line counts, as in libc. */
export function readUsers(text: string): User[] {
  return text.split('\n').flatMap((line): User[] => {
    const [name = '', , uid = '', gid = '', , home = '', shell = ''] = line.split(':');
    if (name === '' || !isId(uid) || !isId(gid)) return [];
    return [{ name, uid: Number(uid), gid: Number(gid), home, shell }];
  });
}

/** Groups by group(5). */
export function readGroups(text: string): Group[] {
  return text.split('\n').flatMap((line): Group[] => {
    const [name = '', , gid = '', members = ''] = line.split(':');
    if (name === '' || !isId(gid)) return [];
    return [{ name, gid: Number(gid), members: members.split(',').filter((m) => m !== '') }];
  });
}

function isId(text: string): boolean {
  return /^[0-9]{1,10}$/.test(text);
}

/** Names of a user's groups: the primary one, then those that list it, in the order of the file. */
export function groupsOf(user: User, groups: readonly Group[]): string[] {
  const primary = groups.find((group) => group.gid === user.gid);
  const others = groups.filter((group) => group !== primary && group.members.includes(user.name));
  return [...(primary ? [primary] : []), ...others].map((group) => group.name);
}

/** A text of the image, or '' where it is not there or no regular file. */
export function textIfThere(root: Rootfs, path: string): string {
  try {
    return root.exists(path) ? root.readText(path) : '';
  } catch (error) {
    if (error instanceof IngotError && ['host/not-a-file', 'host/link-loop'].includes(error.code)) return '';
    throw error;
  }
}
