import { readFile } from 'node:fs/promises';
import { IngotError } from '../../core/error.ts';
import { PATHS } from '../paths.ts';
import type { AgentMachine } from './machine.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Numbers of a user and a group of the machine (passwd(5), group(5)); without a group, the user's own. Throws
 * `firstboot/unknown-owner`.
 */
export async function findOwner(
  user: string,
  group: string | undefined,
  machine: Pick<AgentMachine, 'place'>,
): Promise<Owner> {
  const entry = await lineOf(machine.place(PATHS.users), user);
  if (!entry) throw unknownOwner('user', user);
  const uid = Number(entry[2]);
  if (group === undefined) return { uid, gid: Number(entry[3]) };
  const groupEntry = await lineOf(machine.place('/etc/group'), group);
  if (!groupEntry) throw unknownOwner('group', group);
  return { uid, gid: Number(groupEntry[2]) };
}

/** The fields of a name, or of a number, which is the third field in both files. */
async function lineOf(path: string, name: string): Promise<string[] | undefined> {
  const lines = (await readFile(path, 'utf8')).split('\n').map((line) => line.split(':'));
  return lines.find((fields) => fields[/^\d+$/.test(name) ? 2 : 0] === name);
}

function unknownOwner(kind: string, name: string): IngotError {
  return new IngotError('firstboot/unknown-owner', `this machine has no ${kind} ${JSON.stringify(name)}`, {
    hint: 'Make it in a provisioner, or install the package that brings it.',
  });
}
