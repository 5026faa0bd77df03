import { expect, test } from 'vitest';
import { effectiveSshd } from '../../../src/checks/hardening/sshd-config.ts';
import { imageOf } from '../../scan/image-tree.ts';

/** Answers of OpenSSH 9.2's `sshd -T` to these files, of the keywords that are asked about. */
test.each<[string, Record<string, string>, string[]]>([
  ['nothing set', { 'etc/ssh/sshd_config': '' }, ['permitrootlogin without-password', 'maxauthtries 6']],
  [
    'the first value counts',
    { 'etc/ssh/sshd_config': 'MaxAuthTries 3\nMaxAuthTries 9\n' },
    ['maxauthtries 3'],
  ],
  [
    'what is included counts where it stands, in the order of names',
    {
      'etc/ssh/sshd_config': 'Include sshd_config.d/*.conf\nPermitRootLogin yes\n',
      'etc/ssh/sshd_config.d/20.conf': 'PermitRootLogin without-password\n',
      'etc/ssh/sshd_config.d/10.conf': 'PermitRootLogin no\n',
      'etc/ssh/sshd_config.d/05.off': 'PermitRootLogin yes\n',
    },
    ['permitrootlogin no'],
  ],
  [
    'below Match nothing counts until Match all, and a Match ends with its file',
    {
      'etc/ssh/sshd_config':
        'Include /etc/ssh/a.conf\nPasswordAuthentication no\nMatch user bob\nX11Forwarding yes\nMatch all\nPermitTunnel yes\n',
      'etc/ssh/a.conf': 'Match user eve\nPasswordAuthentication yes\n',
    },
    ['passwordauthentication no', 'x11forwarding no', 'permittunnel yes'],
  ],
  [
    'words, times and comments as sshd prints them',
    {
      'etc/ssh/sshd_config':
        'permitrootlogin prohibit-password # why\nLoginGraceTime=1m30s\nClientAliveInterval "2m"\nLogLevel verbose\nX11Forwarding YES\nChallengeResponseAuthentication no\n',
    },
    [
      'permitrootlogin without-password',
      'logingracetime 90',
      'clientaliveinterval 120',
      'loglevel VERBOSE',
      'x11forwarding yes',
      'kbdinteractiveauthentication no',
    ],
  ],
  [
    'files that take in each other end',
    { 'etc/ssh/sshd_config': 'Include /etc/ssh/sshd_config\nMaxSessions 2\n' },
    ['maxsessions 2'],
  ],
])('%s', (_what, files, expected) => {
  const lines = effectiveSshd(imageOf(files)).split('\n');
  expect(lines).toEqual(expect.arrayContaining(expected));
});
