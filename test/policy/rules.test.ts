import { describe, expect, test } from 'vitest';
import { readCapabilities } from '../../src/policy/capabilities.ts';
import { forbiddenPackages, parsePackageRule } from '../../src/policy/packages.ts';
import {
  parsePrivilegeRule,
  readPrivilegeList,
  unexpectedPrivileges,
} from '../../src/policy/privilege-rules.ts';
import { compareDebianVersions } from '../../src/scan/versions/debian.ts';

describe('forbidden packages', () => {
  const names = (rules: string[], ...packages: string[]) =>
    forbiddenPackages(
      packages.map((text) => {
        const [name = '', version = '1'] = text.split(' ');
        return { type: 'deb', name, version, compare: compareDebianVersions };
      }),
      rules,
    ).map(({ id }) => id);

  test.each([
    [['telnet'], ['telnet', 'telnetd', 'inetutils-telnet'], ['package:telnet']],
    [['telnet*'], ['telnet', 'telnetd', 'mytelnet'], ['package:telnet', 'package:telnetd']],
    [['?sh'], ['rsh', 'bash', 'ssh'], ['package:rsh', 'package:ssh']],
    [['openssl (<< 3.0.15)'], ['openssl 3.0.14-1', 'libssl3 3.0.1'], ['package:openssl']],
    [['openssl (<< 3.0.15)'], ['openssl 3.0.15-1~deb12u1'], []],
    [['openssl(>= 1:1)'], ['openssl 2'], []],
    [
      ['a (= 1.0)', 'b (>> 1)', 'c (<= 2)'],
      ['a 1.0', 'b 1', 'c 2'],
      ['package:a', 'package:c'],
    ],
    [['libc++1'], ['libc++1', 'libcc1'], ['package:libc++1']],
    [['golang.org/**'], ['golang.org/x/net'], ['package:golang.org/x/net']],
  ])('%j on %j', (rules, packages, expected) => {
    expect(names(rules, ...packages)).toEqual(expected);
  });

  test('a version that cannot be compared counts as forbidden', () => {
    const found = forbiddenPackages([{ type: 'maven', name: 'log4j', version: '2' }], ['log4j (<< 2.17)']);
    expect(found).toHaveLength(1);
  });

  test.each(['', 'a b', 'openssl (3.0)', 'openssl (< 3)', '(<< 3)'])('%j is no rule', (text) => {
    expect(() => parsePackageRule(text)).toThrow('names no package');
  });
});

describe('privileged files', () => {
  const file = (path: string, ...privileges: string[]) => ({ path, privileges, uid: 0, gid: 42 });

  test.each([
    ['/usr/bin/sudo', file('/usr/bin/sudo', 'setuid'), true],
    ['/usr/bin/sudo setuid', file('/usr/bin/sudo', 'setuid'), true],
    ['/usr/bin/sudo setuid', file('/usr/bin/sudo', 'setuid', 'setgid'), false],
    ['/usr/bin/ping cap_net_raw', file('/usr/bin/ping', 'cap_net_raw'), true],
    ['/usr/bin/ping cap_net_raw', file('/usr/bin/ping', 'cap_sys_admin'), false],
    ['/usr/lib/*/helper', file('/usr/lib/x/helper', 'setuid'), true],
    ['/usr/lib/*/helper', file('/usr/lib/x/y/helper', 'setuid'), false],
    ['/opt/**', file('/opt/a/b/c', 'setuid'), true],
    ['/usr/bin/su', file('/usr/bin/sudo', 'setuid'), false],
  ])('%s allows %j: %s', (rule, privileged, allowed) => {
    expect(unexpectedPrivileges([privileged], [rule])).toHaveLength(allowed ? 0 : 1);
  });

  test('what is too much is named, and how to take it away', () => {
    const [found] = unexpectedPrivileges(
      [file('/usr/bin/x', 'cap_net_raw', 'setgid', 'setuid')],
      ['/usr/bin/x setgid'],
    );
    expect(found?.message).toContain('has cap_net_raw, setuid; only setgid is allowed');
    expect(found?.message).toContain('chmod u-s /usr/bin/x && setcap -r /usr/bin/x');
  });

  test.each([
    ['usr/bin/sudo', 'is no absolute path'],
    ['/a setuid more', 'is no absolute path'],
    ['/a cap_net_row', 'is neither setuid, setgid nor a capability'],
  ])('%j is no rule', (text, message) => {
    expect(() => parsePrivilegeRule(text)).toThrow(message);
  });

  test('a list is a rule a line', () => {
    expect(readPrivilegeList('# why\n\n/a setuid # since\n  /b\n')).toEqual(['/a setuid', '/b']);
  });
});

describe('security.capability', () => {
  const value = (revision: number, permitted: bigint, inheritable = 0n): Buffer => {
    const words = revision === 1 ? 1 : 2;
    const bytes = Buffer.alloc(4 + words * 8 + (revision === 3 ? 4 : 0));
    bytes.writeUInt32LE(revision * 2 ** 24 + 1, 0);
    for (let word = 0; word < words; word++) {
      bytes.writeUInt32LE(Number((permitted >> BigInt(word * 32)) & 0xffffffffn), 4 + word * 8);
      bytes.writeUInt32LE(Number((inheritable >> BigInt(word * 32)) & 0xffffffffn), 8 + word * 8);
    }
    return bytes;
  };

  test.each([1, 2, 3])('of revision %i', (revision) => {
    expect(readCapabilities(value(revision, 1n << 13n, 1n << 31n))).toEqual(['cap_net_raw', 'cap_setfcap']);
  });

  test('above 32, and without a name yet', () => {
    expect(readCapabilities(value(2, (1n << 39n) | (1n << 60n)))).toEqual(['cap_60', 'cap_bpf']);
  });

  test('of another shape is no empty one', () => {
    expect(readCapabilities(Buffer.from('short'))).toEqual(['cap_unreadable']);
  });
});
