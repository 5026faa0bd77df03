import { describe, expect, test } from 'vitest';
import { withoutNetplanMacs } from '../../src/seal/netplan-macs.ts';
import { withoutNetworkdMacs } from '../../src/seal/networkd-macs.ts';
import { imageOf } from './tree.ts';

describe('netplan', () => {
  const around = (inner: string): string =>
    `network:\n  version: 2\n  ethernets:\n    eth0:\n      dhcp4: true\n${inner}    eth1: {dhcp4: true}\n`;
  test.each([
    ['no address', '      mtu: 1400\n', '      mtu: 1400\n'],
    ['an address to take', '      macaddress: "52:54:00:12:34:56"\n', ''],
    [
      'a match of nothing else, with the name that needs it',
      '      match:\n        # the card\n        macaddress: 52:54:00:12:34:56\n      set-name: eth0\n      mtu: 1\n',
      '        # the card\n      mtu: 1\n',
    ],
    [
      'the name before the match',
      '      set-name: eth0\n      match:\n        macaddress: 52:54:00:12:34:56\n',
      '',
    ],
    ['a match in braces', '      match: {macaddress: "52:54:00:12:34:56"}\n      set-name: eth0\n', ''],
    [
      'a match of more',
      '      match:\n        driver: virtio_net\n        macaddress: 52:54:00:12:34:56\n      set-name: eth0\n',
      '      match:\n        driver: virtio_net\n      set-name: eth0\n',
    ],
    [
      'a match by name',
      '      match:\n        name: en*\n      set-name: eth0\n',
      '      match:\n        name: en*\n      set-name: eth0\n',
    ],
  ])('%s', (_what, before, after) => {
    const result = withoutNetplanMacs(around(before).split('\n')).join('\n');
    expect(result).toBe(around(after));
    expect(withoutNetplanMacs(result.split('\n')).join('\n')).toBe(result);
  });
});

describe('networkd', () => {
  test.each([
    [
      'a.network',
      '[Match]\nMACAddress=52:54:00:12:34:56\n[Network]\nDHCP=yes\n',
      '[Match]\nType=ether\n[Network]\nDHCP=yes\n',
    ],
    ['a.network', '[Match]\nName=en*\nMACAddress=52:54:00:12:34:56\n', '[Match]\nName=en*\n'],
    [
      'a.network',
      '[Match]\nName=e0\n[Link]\nMACAddress=52:54:00:12:34:56\nMTUBytes=9000\n',
      '[Match]\nName=e0\n[Link]\nMTUBytes=9000\n',
    ],
    ['a.network', '[Match]\nName=e0\n[DHCPServerStaticLease]\nMACAddress=52:54:00:12:34:56\n', undefined],
    ['a.netdev', '[NetDev]\nName=br0\nMACAddress=52:54:00:12:34:56\n', '[NetDev]\nName=br0\n'],
    ['a.link', '[Match]\nMACAddress=52:54:00:12:34:56\n[Link]\nName=lan0\n', null],
    ['a.link', '[Match]\nOriginalName=*\n[Link]\nMACAddressPolicy=none\n', undefined],
    ['a.link', '[Match]\nPermanentMACAddress=52:54:00:12:34:56\nDriver=e1000\n', '[Match]\nDriver=e1000\n'],
    ['a.conf', '[Match]\nMACAddress=52:54:00:12:34:56\n', undefined],
  ])('%s %j', (name, before, after) => {
    const path = `/etc/systemd/network/${name}`;
    const edits = withoutNetworkdMacs(imageOf({ [path]: before }), path);
    if (after === undefined) expect(edits).toEqual([]);
    else if (after === null) expect(edits).toEqual([{ action: 'remove', path }]);
    else expect(edits).toEqual([{ action: 'write', path, data: Buffer.from(after) }]);
  });
});
