import type { Rootfs } from '../core/rootfs.ts';

const SECONDS_PER_DAY = 86_400;
/** Index of the day of the last change among the fields of shadow(5). */
const LAST_CHANGE = 2;

/**
 * Sets days of a last password change behind `epoch` (seconds since 1970) to its day: useradd heeds SOURCE_DATE_EPOCH,
 * chpasswd, passwd and usermod write today. Earlier days, 0 (must be changed) and empty fields stay.
 */
export function clampPasswordDates(root: Rootfs, epoch: number): void {
  const last = Math.floor(epoch / SECONDS_PER_DAY);
  // The backup has the same dates, and sealing, which removes it, can be switched off.
  for (const path of ['/etc/shadow', '/etc/shadow-']) {
    const stat = root.lstat(path);
    if (!stat?.isFile()) continue;
    const text = root.readText(path);
    const clamped = text.split('\n').map((line) => clampLine(line, last));
    if (clamped.join('\n') === text) continue;
    root.write(path, clamped.join('\n'), { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid });
  }
}

function clampLine(line: string, last: number): string {
  const fields = line.split(':');
  const day = fields[LAST_CHANGE] ?? '';
  if (!/^\d+$/.test(day) || Number(day) <= last) return line;
  fields[LAST_CHANGE] = String(last);
  return fields.join(':');
}
