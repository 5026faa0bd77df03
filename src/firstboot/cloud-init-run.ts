import type { Rootfs } from '../core/rootfs.ts';
import { PATHS } from './paths.ts';

/** Says that cloud-init has had its first run. */
export const RUN_DONE = '/usr/lib/ingot/cloud-init-done';
export const RUN_UNIT = 'ingot-cloud-init.service';

export function hasCloudInit(root: Rootfs): boolean {
  return root.exists('/usr/bin/cloud-init');
}

/**
 * cloud-init marks a module as run before it runs it, and syncs nothing that it writes: what a power cut took from its
 * first run is missing for good, silently. So until that run is on the disk each start begins it anew, as
 * `cloud-init clean` would; what images bring in /var/lib/cloud stays. Its last stages come after the first boot, and are
 * not repeated.
 *
 * An orderly stop counts as the end of the run (ExecStop=): a `bootcmd` may restart the machine, and must not do so forever.
 */
export const RUN_UNIT_TEXT = `[Unit]
Description=Begins a first run of cloud-init anew that ended with the power
DefaultDependencies=no
After=systemd-remount-fs.service
Before=cloud-init-main.service cloud-init-local.service shutdown.target
Conflicts=shutdown.target
RequiresMountsFor=/var/lib/cloud ${PATHS.cloudInit}
ConditionPathExists=!${PATHS.cloudInit}
ConditionPathExists=!${PATHS.done}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/rm -rf ${['data', 'instance', 'instances', 'sem'].map((name) => `/var/lib/cloud/${name}`).join(' ')}
ExecStop=${RUN_DONE}
`;

export const RUN_DONE_TEXT = `#!/bin/sh
# What cloud-init has written is on the disk before this mark says so. The mark itself may come later: cloud-init would
# only begin anew.
[ ! -e ${PATHS.cloudInit} ] || exit 0
mkdir -p /var/lib/ingot && sync && : >${PATHS.cloudInit}
`;
