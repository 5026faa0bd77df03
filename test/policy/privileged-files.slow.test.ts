import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHost } from '../../src/host/index.ts';
import { privilegedFiles } from '../../src/policy/privileged-files.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-privileged-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Revision 2, effective, cap_net_raw (bit 13), as setcap(8) would set it; the path is given in hex. */
function setNetRaw(path: Buffer): void {
  const value = Buffer.alloc(20);
  value.writeUInt32LE(0x02000001, 0);
  value.writeUInt32LE(1 << 13, 4);
  const script =
    'require "syscall.ph"; my ($p, $v, $n) = (pack("H*", $ARGV[0]), pack("H*", $ARGV[1]), "security" . ".capability"); syscall(&SYS_setxattr, $p, $n, $v, length $v, 0) == 0 or die "$!\\n"';
  execFileSync('perl', ['-e', script, path.toString('hex'), value.toString('hex')]);
}

test('every file that is setuid, setgid or has capabilities is found, whatever its name', async () => {
  const root = join(dir, 'root');
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
  const file = (name: string, mode: number) => {
    writeFileSync(join(root, name), 'x');
    chmodSync(join(root, name), mode);
  };
  file('usr/bin/plain', 0o755);
  file('usr/bin/su', 0o4755);
  file('usr/bin/wall', 0o2755);
  file('usr/bin/both', 0o6755);
  file('usr/bin/ping', 0o755);
  setNetRaw(Buffer.from(join(root, 'usr/bin/ping')));
  // No UTF-8: it must not slip through.
  const odd = Buffer.concat([Buffer.from(`${root}/usr/bin/`), Buffer.from([0xff, 0x78])]);
  writeFileSync(odd, 'x');
  setNetRaw(odd);
  symlinkSync('su', join(root, 'usr/bin/link'));
  mkdirSync(join(root, 'shared'));
  chmodSync(join(root, 'shared'), 0o2777);

  const host = createHost({ leaseDir: join(dir, 'leases') });
  const found = await privilegedFiles(root, { host, signal: new AbortController().signal });
  expect(found.map(({ path, privileges }) => `${path} ${privileges.join(',')}`)).toEqual([
    '/usr/bin/both setuid,setgid',
    '/usr/bin/ping cap_net_raw',
    '/usr/bin/su setuid',
    '/usr/bin/wall setgid',
    '/usr/bin/\ufffdx cap_net_raw',
  ]);
});
