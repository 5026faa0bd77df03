import { removal } from './remove.ts';

export const dhcpLeases = removal(
  'dhcp-leases',
  1,
  'Removes leases and DHCP identities (DUIDs): clones that share one get one address.',
  [
    '/var/lib/dhcp/*.lease*',
    '/var/lib/dhcp3/*.lease*',
    '/var/lib/dhclient/*',
    '/var/lib/dhcpcd/*',
    '/var/lib/dhcpcd5/*',
    '/var/db/dhcpcd*',
    '/etc/dhcpcd.duid',
    '/var/lib/NetworkManager/*.lease',
    '/var/lib/NetworkManager/secret_key',
    '/var/lib/NetworkManager/internal-*',
    '/var/lib/NetworkManager/seen-bssids',
    '/var/lib/systemd/network/*',
    '/run/systemd/netif/*',
  ],
);
