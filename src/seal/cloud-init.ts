import type { Edit } from './edit.ts';
import { contents, matches } from './find.ts';
import { operation } from './operation.ts';

/** Configuration below /var/lib/cloud that a template may bring: a baked-in seed, per-boot scripts, part handlers. */
const KEPT = new Set(['seed', 'scripts', 'handlers']);

/** What cloud-init or an installer derived from the machine that it ran on, elsewhere in the image. */
const GENERATED = [
  '/run/cloud-init',
  '/var/log/cloud-init*',
  '/etc/cloud/cloud.cfg.d/50-curtin-networking.cfg',
  '/etc/cloud/cloud.cfg.d/90-installer-network.cfg',
  '/etc/cloud/cloud.cfg.d/99-installer.cfg',
  '/etc/network/interfaces.d/50-cloud-init*',
  '/etc/netplan/50-cloud-init.yaml',
  '/etc/systemd/network/10-cloud-init-*',
  '/etc/NetworkManager/system-connections/cloud-init-*.nmconnection',
  '/etc/ssh/sshd_config.d/50-cloud-init.conf',
  '/etc/sudoers.d/90-cloud-init-users',
];

export const cloudInit = operation(
  'cloud-init',
  2,
  'Removes what cloud-init remembers and generated on the machine it ran on, so that it runs anew on each clone; a seed and scripts in /var/lib/cloud stay.',
  (root): Edit[] => [
    ...contents(root, ['/var/lib/cloud']).filter(
      ({ path }) => !KEPT.has(path.slice('/var/lib/cloud/'.length)),
    ),
    ...matches(root, GENERATED),
  ],
);
