import { expect, test } from 'vitest';
import { mountFact } from '../../../src/checks/goss/systems/mounts.ts';
import { Strings } from '../../../src/checks/goss/values.ts';

const MOUNTINFO = `22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro
30 22 0:26 / /srv/two\\040words rw,nosuid - tmpfs tmpfs rw,size=1k
31 22 0:27 / /srv/two\\040words ro - ext4 /dev/vdb ro
`;

test.each([
  ['/', 'exists', true],
  ['/none', 'exists', false],
  ['/', 'filesystem', 'ext4'],
  ['/', 'source', '/dev/vda1'],
  ['/', 'opts', new Strings(['rw', 'relatime'])],
  ['/', 'vfs-opts', new Strings(['rw', 'errors=remount-ro'])],
  ['/srv/two words', 'filesystem', 'ext4'],
  ['/srv/two words', 'opts', new Strings(['ro'])],
])('%s %s', (target, attribute, fact) => {
  expect(mountFact(MOUNTINFO, target, attribute)).toEqual(fact);
});

test('nothing is told of what is not mounted', () => {
  expect(() => mountFact(MOUNTINFO, '/none', 'source')).toThrow('Mountpoint not found');
});
