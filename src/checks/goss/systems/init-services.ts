import { posix } from 'node:path';
import type { Rootfs } from '../../../core/rootfs.ts';

/** Whether systemd starts the image's services; else OpenRC (Alpine) or the links of System V do. */
export function hasSystemd(root: Rootfs): boolean {
  return ['/usr/lib/systemd', '/usr/bin/systemctl', '/bin/systemctl'].some((path) => root.exists(path));
}

/** Runlevels in which a service is started, in an image without systemd; as goss, none for a name with a slash. */
export function runlevelsOf(root: Rootfs, service: string): string[] {
  if (service.includes('/')) return [];
  if (root.exists('/etc/alpine-release'))
    return root.glob(`/etc/runlevels/*/${service}`).map((path) => posix.basename(posix.dirname(path)));
  return root
    .glob(`/etc/rc*.d/S[0-9][0-9]${service}`)
    .flatMap((path) => /^\/etc\/rc([0-9]+)\.d\//.exec(path)?.[1] ?? []);
}
