import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Member } from '../../disk/oci/archives.ts';

/** The smallest system that runs a shell, from Debian's busybox-static, for layers made by hand. */
export function busyboxMembers(): Member[] {
  const data = readFileSync('/bin/busybox', 'latin1');
  const applets = execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).split('\n').filter(Boolean);
  const folder = (path: string, mode = 0o755): Member => ({ path, type: '5', mode });
  return [
    ...['bin', 'usr', 'usr/bin', 'etc', 'proc', 'sys', 'dev', 'run', 'root', 'var'].map((path) =>
      folder(path),
    ),
    folder('tmp', 0o1777),
    { path: 'bin/busybox', data, mode: 0o755, binary: true },
    ...applets
      .filter((name) => name !== 'busybox')
      .map((name): Member => ({ path: `bin/${name}`, type: '2', linkName: 'busybox' })),
    { path: 'etc/passwd', data: 'root:x:0:0:root:/root:/bin/sh\n' },
    { path: 'etc/group', data: 'root:x:0:\n' },
  ];
}
