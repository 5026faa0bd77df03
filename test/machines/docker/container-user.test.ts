import { expect, test } from 'vitest';
import { loginOf, ownerOf } from '../../../src/machines/docker/container-user.ts';

const PASSWD = 'root:x:0:0:root:/root:/bin/sh\napp:x:1234:1235::/home/app:/bin/sh\n';
const GROUP = 'root:x:0:\nweb:x:1236:\n';

test.each([
  ['', 0, 0, undefined],
  ['root', 0, 0, 'root'],
  ['app', 1234, 1235, 'app'],
  ['1234', 1234, 1235, undefined],
  ['77', 77, 0, undefined],
  ['77:78', 77, 78, undefined],
  ['app:web', 1234, 1236, 'app'],
  [':web', 0, 1236, undefined],
  ['nobody-here', 0, 0, 'nobody-here'],
  ['app:nowhere', 1234, 1235, 'app'],
])('USER %j', (text, uid, gid, login) => {
  expect(ownerOf(text, PASSWD, GROUP)).toEqual({ uid, gid });
  expect(loginOf(text)).toBe(login);
});
