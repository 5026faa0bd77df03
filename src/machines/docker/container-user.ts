/** Whom a container's files belong to. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export const ROOT: Owner = { uid: 0, gid: 0 };

/**
 * What `USER[:GROUP]` of an image's or a container's settings means (Docker Engine API, "ContainerConfig": User), by the
 * container's own files: names, or numbers that need no entry there. A name that is not there is root's.
 */
export function ownerOf(text: string, passwd: string, group: string): Owner {
  const [user = '', inGroup = ''] = text.split(':');
  const account = fieldsOf(passwd).find(([name, , uid]) => name === user || uid === user);
  const numeric = /^\d+$/.test(user) ? { uid: Number(user), gid: 0 } : ROOT;
  const own = account ? { uid: Number(account[2]), gid: Number(account[3]) } : numeric;
  if (inGroup === '') return own;
  const entry = fieldsOf(group).find(([name, , gid]) => name === inGroup || gid === inGroup);
  return { uid: own.uid, gid: Number(entry?.[2] ?? (/^\d+$/.test(inGroup) ? inGroup : own.gid)) };
}

/** The name in `USER[:GROUP]`; undefined where it is a number, or there is none. */
export function loginOf(text: string): string | undefined {
  const [user = ''] = text.split(':');
  return user === '' || /^\d+$/.test(user) ? undefined : user;
}

/** Entries of passwd(5) or group(5). */
function fieldsOf(text: string): string[][] {
  const lines = text.split('\n').map((line) => line.split(':'));
  return lines.filter(([, , id]) => id !== undefined && /^\d+$/.test(id));
}
