import type { Removed, SealOperation } from '../core/plugin.ts';
import { filterLines, removeMatches } from './remove.ts';

/** Files that may name this machine's network cards, and the lines that do. */
const LINES: readonly (readonly [pattern: string, line: RegExp])[] = [
  ['/etc/network/interfaces', /^\s*(hwaddress|hwaddr)\b/],
  ['/etc/network/interfaces.d/*', /^\s*(hwaddress|hwaddr)\b/],
  ['/etc/netplan/*', /^\s*macaddress:/],
  ['/etc/systemd/network/*.link', /^\s*(Permanent)?MACAddress=/],
  ['/etc/systemd/network/*.network', /^\s*(Permanent)?MACAddress=/],
  ['/etc/NetworkManager/system-connections/*', /^\s*(cloned-)?mac-address=/],
  ['/etc/sysconfig/network-scripts/ifcfg-*', /^\s*(HWADDR|UUID)=/],
];

export const networkIdentity: SealOperation = {
  name: 'network-identity',
  version: 1,
  doc: 'Removes MAC addresses and persistent names of network cards from configurations: a clone has other cards.',
  async offline(root) {
    const removed: Removed[] = removeMatches(root, [
      '/etc/udev/rules.d/70-persistent-net.rules',
      '/etc/udev/rules.d/75-persistent-net-generator.rules',
      '/etc/network/interfaces.d/50-cloud-init*',
      '/etc/netplan/50-cloud-init.yaml',
      '/etc/systemd/network/10-cloud-init-*',
    ]);
    for (const [pattern, line] of LINES) {
      for (const path of root.glob(pattern))
        removed.push(...filterLines(root, path, (text) => !line.test(text)));
    }
    return removed;
  },
};
