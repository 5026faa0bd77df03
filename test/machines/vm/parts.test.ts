import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { expect, test } from 'vitest';
import { buildKey } from '../../../src/machines/vm/build-key.ts';
import { cleanLines, deathOf } from '../../../src/machines/vm/console-log.ts';

test('the key of the build is made once, and SSH programs read it', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'ingot-key-'));
  try {
    const key = buildKey(dir);
    expect(buildKey(dir)).toEqual(key);
    expect(statSync(join(dir, 'vm/build-key.pem')).mode & 0o777).toBe(0o600);
    const [secret, open] = [ssh2.utils.parseKey(key.privateKey), ssh2.utils.parseKey(key.publicKey)];
    if (secret instanceof Error || open instanceof Error) throw new Error('not readable');
    expect(secret.isPrivateKey()).toBe(true);
    expect(open.verify('text', secret.sign('text') as Buffer)).toBe(true);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a console without the codes of a terminal', () => {
  expect(
    cleanLines('\u001b[2J\u001b[01;01HGRUB\r\n\r\n[  OK  ] \u001b[0;32mStarted\u001b[0m\u0007\n'),
  ).toEqual(['GRUB', '[  OK  ] Started']);
});

test.each([
  [
    ['[    1.2] Kernel panic - not syncing: VFS: Unable to mount root fs'],
    'Kernel panic - not syncing: VFS: Unable to mount root fs',
  ],
  [['Booting from Hard Disk...', 'No bootable device.'], 'No bootable device.'],
  [
    ['ALERT!  UUID=1 does not exist.  Dropping to a shell!'],
    'ALERT!  UUID=1 does not exist.  Dropping to a shell!',
  ],
  [
    ['Fatal glibc error: CPU does not support x86-64-v2'],
    'Fatal glibc error: CPU does not support x86-64-v2',
  ],
  [['[  OK  ] Started ssh.service'], undefined],
])('%j', (lines, death) => expect(deathOf(lines)).toBe(death));
