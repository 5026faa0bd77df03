import type { Removed, SealOperation } from '../core/plugin.ts';
import { removeMatches, rewrite } from './remove.ts';

const UNIT = '/usr/lib/systemd/system/ingot-ssh-host-keys.service';
const LINK = '/etc/systemd/system/multi-user.target.wants/ingot-ssh-host-keys.service';

/** Without cloud-init nothing else makes the keys that sshd needs. */
const TEXT = `[Unit]
Description=Make missing SSH host keys
Documentation=https://manpages.debian.org/ssh-keygen
ConditionPathExistsGlob=!/etc/ssh/ssh_host_*_key
Before=ssh.service ssh.socket sshd.service
After=systemd-random-seed.service

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -A
RemainAfterExit=yes

[Install]
WantedBy=multi-user.target
`;

export const sshHostKeys: SealOperation = {
  name: 'ssh-host-keys',
  version: 1,
  doc: 'Removes the host keys: clones must not share them. A unit makes new ones on boot.',
  async offline(root) {
    const removed: Removed[] = removeMatches(root, [
      '/etc/ssh/ssh_host_*_key',
      '/etc/ssh/ssh_host_*_key.pub',
    ]);
    if (!root.exists('/usr/sbin/sshd') || !root.exists('/usr/bin/ssh-keygen')) return removed;
    removed.push(...rewrite(root, UNIT, TEXT));
    if (!root.lstat(LINK)) {
      root.mkdir('/etc/systemd/system/multi-user.target.wants');
      root.symlink(LINK, UNIT);
      removed.push({ path: LINK, action: 'added', files: 1, bytes: 0 });
    }
    return removed;
  },
};
