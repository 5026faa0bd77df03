import { removal } from './remove.ts';

export const cloudInit = removal(
  'cloud-init',
  1,
  'Removes what cloud-init remembers of the machine it ran on, so that it runs anew (as `cloud-init clean --logs --seed`).',
  [
    '/var/lib/cloud/instance',
    '/var/lib/cloud/instances',
    '/var/lib/cloud/data',
    '/var/lib/cloud/sem',
    '/var/lib/cloud/seed',
    '/var/lib/cloud/handlers/*',
    '/run/cloud-init',
    '/var/log/cloud-init*',
    '/etc/cloud/cloud.cfg.d/50-curtin-networking.cfg',
  ],
);
