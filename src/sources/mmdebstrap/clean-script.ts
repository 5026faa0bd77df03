import { SHADOWED, STAND_INS } from './scripts.ts';

/**
 * Removes what configuring left that belongs to this one run: stand-ins, logs, backups, caches, random
 * identities. Runs inside the tree, where links lead nowhere else.
 */
export function cleanScript(): string {
  const restore = Object.keys(SHADOWED).map((path) => `[ ! -e ${path}.ingot ] || mv ${path}.ingot ${path}\n`);
  return `${restore.join('')}rm -f ${Object.keys(STAND_INS).join(' ')}
rm -rf /var/log/dpkg.log /var/log/alternatives.log /var/log/bootstrap.log /var/log/apt/*
find /var/log -type f -exec truncate --size=0 {} +
rm -rf /var/cache/apt /var/cache/ldconfig /var/lib/apt/lists
mkdir -p /var/cache/apt/archives/partial /var/lib/apt/lists/partial
if id _apt >/dev/null 2>&1; then chown _apt:root /var/cache/apt/archives/partial /var/lib/apt/lists/partial; fi
chmod 700 /var/cache/apt/archives/partial /var/lib/apt/lists/partial
rm -f /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow- /etc/subuid- /etc/subgid- /etc/.pwd.lock
rm -f /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/lib/dpkg/lock /var/lib/dpkg/lock-frontend /var/lib/dpkg/triggers/Lock
rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
rm -f /var/lib/dbus/machine-id /var/lib/systemd/random-seed /var/lib/systemd/credential.secret /etc/hostname
[ ! -e /etc/machine-id ] || echo uninitialized > /etc/machine-id
`;
}
