import { matches } from './find.ts';
import { operation } from './operation.ts';

const PATTERNS = [
  '/var/lib/dhcp/*.lease*',
  '/var/lib/dhcp3/*.lease*',
  '/var/lib/dhclient/*',
  '/var/lib/dhcpcd/*',
  '/var/lib/dhcpcd5/*',
  '/var/db/dhcpcd*',
  '/etc/dhcpcd.duid',
  '/etc/dhcpcd.secret',
  '/var/lib/NetworkManager/*.lease',
  '/var/lib/NetworkManager/secret_key',
  '/var/lib/NetworkManager/internal-*',
  '/var/lib/NetworkManager/seen-bssids',
  '/var/lib/NetworkManager/timestamps',
  '/var/lib/systemd/network/*',
  '/run/systemd/netif/*',
];

export const dhcpLeases = operation(
  'dhcp-leases',
  1,
  'Removes leases and DHCP identities (DUIDs): clones that share one get one address.',
  (root) => matches(root, PATTERNS),
);
