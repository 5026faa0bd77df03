import { type GuestFile, UNITS } from './guest.ts';

/** Where the throwaway copy's own SSH server listens, beside the one that the image may have. */
export const LOGIN_PORT = 22_022;
export const LOGIN_UNIT = 'ingot-test-ssh.service';

const CONFIG = '/usr/lib/ingot-test/sshd_config';
const KEYS = '/usr/lib/ingot-test/authorized_keys';
const HOST_KEY = '/run/ingot-test/host_key';

/** sshd_config(5). The image's own is not touched: what it allows and forbids is part of what is tested. */
const SETTINGS = `Port ${LOGIN_PORT}
HostKey ${HOST_KEY}
AuthorizedKeysFile ${KEYS}
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM yes
UseDNS no
PidFile none
Subsystem sftp internal-sftp
`;

/** Type=exec: systemd then says when it did not even start. */
const UNIT = `[Unit]
Description=SSH for the Ingot tests
ConditionPathExists=/usr/sbin/sshd
[Service]
Type=exec
RuntimeDirectory=ingot-test
ExecStartPre=/bin/mkdir -p -m 0755 /run/sshd
ExecStartPre=/usr/bin/ssh-keygen -q -t ed25519 -N "" -f ${HOST_KEY}
ExecStart=/usr/sbin/sshd -D -e -f ${CONFIG}
`;

/** A second SSH server that lets root in with one key. */
export function loginFiles(publicKey: string): GuestFile[] {
  return [
    { path: CONFIG, content: SETTINGS },
    { path: KEYS, content: `${publicKey}\n`, mode: 0o600 },
    { path: `${UNITS}/${LOGIN_UNIT}`, content: UNIT },
  ];
}
