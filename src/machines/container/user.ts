import { IngotError } from '../../core/error.ts';
import type { Rootfs } from '../../core/rootfs.ts';

export interface ContainerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** A user of the image, by its own /etc/passwd (passwd(5)). Throws `machine/no-such-user`. */
export function findUser(root: Rootfs, name: string): ContainerUser {
  return userIn(root.exists('/etc/passwd') ? root.readText('/etc/passwd') : '', name);
}

/** A user by the text of an /etc/passwd. Throws `machine/no-such-user`. */
export function userIn(passwd: string, name: string): ContainerUser {
  for (const line of passwd.split('\n')) {
    const [login, , uid, gid, , home] = line.split(':');
    if (login === name && uid && gid) return { name, uid: Number(uid), gid: Number(gid), home: home || '/' };
  }
  throw new IngotError('machine/no-such-user', `the machine has no user ${JSON.stringify(name)}`, {
    hint: 'Make it in an earlier provisioner: useradd --create-home NAME.',
  });
}
