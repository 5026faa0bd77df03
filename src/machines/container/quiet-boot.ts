import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bind } from './nspawn.ts';

/** An id for while it runs: with none, PID 1 would take this for the image's first boot and apply presets. */
export const MACHINE_ID = '1f0c0a7d3be24a6e9d5c8b7a69504132\n';

/**
 * Units that do not run in a container which is booted to be built: they write down that and when it ran (wtmp,
 * stamps of timers), or do the work of the image's own first start.
 */
const MASKED = [
  'timers.target',
  'ldconfig.service',
  'systemd-firstboot.service',
  'systemd-hwdb-update.service',
  'systemd-journal-catalog-update.service',
  'systemd-machine-id-commit.service',
  'systemd-random-seed.service',
  'systemd-sysusers.service',
  'systemd-update-done.service',
  'systemd-update-utmp.service',
  'systemd-update-utmp-runlevel.service',
];

/** Words for PID 1, which stand for the kernel's command line in a container. */
export const QUIET_ARGUMENTS = ['cloud-init=disabled', 'systemd.firstboot=off'];

/** Settings in /run, made in `dir`: they last as long as the container and are no part of the image. */
export function quietBinds(dir: string): Bind[] {
  const folder = join(dir, 'quiet');
  mkdirSync(folder, { recursive: true });
  const mask = join(folder, 'masked');
  // A unit without content is masked (systemd.unit(5)).
  writeFileSync(mask, '');
  const journal = join(folder, 'journald.conf');
  writeFileSync(journal, '[Journal]\nStorage=volatile\n');
  const tmp = join(folder, 'tmp.conf');
  // Takes the place of systemd's own, which empties /tmp at a boot: to provisioners, this machine never restarted.
  writeFileSync(tmp, 'q /tmp 1777 root root -\nq /var/tmp 1777 root root -\n');
  return [
    { source: tmp, target: '/run/tmpfiles.d/tmp.conf' },
    ...MASKED.map((unit) => ({ source: mask, target: `/run/systemd/system/${unit}` })),
    { source: journal, target: '/run/systemd/journald.conf.d/00-ingot.conf' },
  ];
}
