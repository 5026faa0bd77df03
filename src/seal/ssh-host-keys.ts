import type { Edit } from './edit.ts';
import { content, matches } from './find.ts';
import { operation } from './operation.ts';

const NAME = 'ingot-ssh-host-keys.service';
const UNIT = `/usr/lib/systemd/system/${NAME}`;
const LINK = `/etc/systemd/system/multi-user.target.wants/${NAME}`;

/**
 * Without cloud-init nothing else makes the keys that sshd needs; with it, the unit comes after cloud-init made them.
 * One missing key is enough to run: a machine that lost power in the middle gets the rest. Not ordered before
 * ssh.socket: sockets come before basic.target, and this unit after it. Where cloud-init has made keys, of the kinds
 * that `ssh_genkeytypes` names, those are enough: others take an emulated processor half a minute.
 */
const TEXT = `[Unit]
Description=Make missing SSH host keys
Documentation=man:ssh-keygen(1)
ConditionFileIsExecutable=/usr/bin/ssh-keygen
ConditionPathExists=|!/etc/ssh/ssh_host_rsa_key
ConditionPathExists=|!/etc/ssh/ssh_host_ecdsa_key
ConditionPathExists=|!/etc/ssh/ssh_host_ed25519_key
After=systemd-random-seed.service cloud-init.service cloud-init-network.service
Before=ssh.service sshd.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecCondition=/bin/sh -c '! test -e /var/lib/cloud/instance/sem/config_ssh || ! ls /etc/ssh/ssh_host_*_key >/dev/null 2>&1'
ExecStart=/usr/bin/ssh-keygen -A

[Install]
WantedBy=multi-user.target
`;

export const sshHostKeys = operation(
  'ssh-host-keys',
  3,
  'Removes the host keys: clones must not share them. Where the OpenSSH server is installed, a unit makes new ones on boot.',
  (root): Edit[] => {
    const edits = matches(root, [
      '/etc/ssh/ssh_host_*_key',
      '/etc/ssh/ssh_host_*_key.pub',
      '/etc/ssh/ssh_host_*_key-cert.pub',
      '/etc/ssh/ssh_host_key*',
    ]);
    const needed = ['/usr/sbin/sshd', '/usr/bin/ssh-keygen', '/usr/bin/systemctl'];
    if (!needed.every((path) => root.exists(path) || root.exists(path.slice('/usr'.length)))) return edits;
    edits.push(...content(root, UNIT, TEXT, 0o644));
    if (!root.lstat(LINK)) edits.push({ action: 'link', path: LINK, target: UNIT });
    return edits;
  },
);
