import type { Rootfs } from '../../../core/rootfs.ts';
import { readUsers, textIfThere } from '../systems/accounts.ts';
import type { DiskMutation, Origin } from './mutation.ts';

const PASSWD = '/etc/passwd';
const GROUP = '/etc/group';
/** A group that gives a user powers, by preference. */
const POWERFUL = ['sudo', 'wheel', 'adm', 'root'];
const NO_LOGIN = '/usr/sbin/nologin';

/** What can be flipped of a user: that there is one, its shell, and that it is in no group with powers. */
export function userMutations(root: Rootfs, name: string, origin: Origin): DiskMutation[] {
  const of = mutation('user', name, origin);
  const passwd = textIfThere(root, PASSWD);
  const user = readUsers(passwd).find((u) => u.name === name);
  if (!user) {
    const line = `${name}:x:65533:65533::/nonexistent:${NO_LOGIN}`;
    return [of('made', 'exists', (changes) => changes.rewrite(PASSWD, withLine(passwd, line)))];
  }
  const shell = /\/(?:nologin|false)$/.test(user.shell) ? '/bin/sh' : NO_LOGIN;
  const groups = textIfThere(root, GROUP);
  const powers = POWERFUL.find((group) => isEntry(groups, group) && !isMember(groups, group, name));
  return [
    of('removed', 'exists', (changes) => changes.rewrite(PASSWD, without(passwd, name))),
    of(`shell ${user.shell} to ${shell}`, 'shell', (changes) =>
      changes.rewrite(
        PASSWD,
        editField(passwd, name, 6, () => shell),
      ),
    ),
    ...(powers === undefined || user.uid === 0
      ? []
      : [
          of(`put into the group ${powers}`, 'groups (consist-of)', (changes) =>
            changes.rewrite(
              GROUP,
              editField(groups, powers, 3, (members) => (members === '' ? name : `${members},${name}`)),
            ),
          ),
        ]),
  ];
}

export function groupMutations(root: Rootfs, name: string, origin: Origin): DiskMutation[] {
  const of = mutation('group', name, origin);
  const groups = textIfThere(root, GROUP);
  return isEntry(groups, name)
    ? [
        of('removed', 'exists', (changes) => changes.rewrite(GROUP, without(groups, name))),
        of('gid to 65533', 'gid', (changes) =>
          changes.rewrite(
            GROUP,
            editField(groups, name, 2, () => '65533'),
          ),
        ),
      ]
    : [of('made', 'exists', (changes) => changes.rewrite(GROUP, withLine(groups, `${name}:x:65533:`)))];
}

function mutation(type: 'user' | 'group', subject: string, origin: Origin) {
  return (change: string, attribute: string, apply: DiskMutation['apply']): DiskMutation => ({
    type,
    subject,
    change,
    attribute,
    origin,
    apply,
  });
}

function isEntry(text: string, name: string): boolean {
  return text.split('\n').some((line) => line.startsWith(`${name}:`));
}

function isMember(text: string, group: string, name: string): boolean {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${group}:`))
    .some((line) => (line.split(':')[3] ?? '').split(',').includes(name));
}

function without(text: string, name: string): string {
  return text
    .split('\n')
    .filter((line) => !line.startsWith(`${name}:`))
    .join('\n');
}

function withLine(text: string, line: string): string {
  return `${text === '' || text.endsWith('\n') ? text : `${text}\n`}${line}\n`;
}

function editField(text: string, name: string, field: number, edit: (value: string) => string): string {
  return text
    .split('\n')
    .map((line) =>
      line.startsWith(`${name}:`)
        ? line
            .split(':')
            .map((value, i) => (i === field ? edit(value) : value))
            .join(':')
        : line,
    )
    .join('\n');
}
