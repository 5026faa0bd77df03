/**
 * What runs inside the booted throwaway copy: a unit that waits until the system has settled and writes a report
 * to the second serial port, and a probe that only a first boot starts. Both are static units wanted through
 * /usr/lib, so presets, the template's enabled units and `systemctl list-unit-files` know nothing of them.
 */

/** First line of a report; the number grows when its fields change meaning. */
export const REPORT_HEADER = 'ingot-boot-report 1';
export const REPORT_END = 'ingot-boot-report end';

const REPORTER_SCRIPT = '/usr/lib/systemd/ingot-boot-report';

/** Files that tell machines apart, or from which that follows; each machine makes its own. */
const IDENTITY_FILES = [
  '/var/lib/systemd/random-seed',
  '/var/lib/systemd/credential.secret',
  '/etc/iscsi/initiatorname.iscsi',
  '/etc/nvme/hostid',
  '/etc/nvme/hostnqn',
  '/etc/hostid',
];

/** A line of the report is `name base64`: no content can break the framing. */
const SCRIPT = `#!/bin/sh
export LC_ALL=C SYSTEMD_PAGER= SYSTEMD_COLORS=0
exec 2>/dev/null
stty -F /dev/ttyS1 raw -echo
exec >/dev/ttyS1
field() { printf '%s ' "$1"; base64 -w0; echo; }
# UEFI firmware clears the screen on every serial port: the report begins on a line of its own.
printf '\\n%s\\n' '${REPORT_HEADER}'
polls=0
while :; do
  state=$(systemctl is-system-running)
  case $state in initializing|starting|'') ;; *) break ;; esac
  polls=$((polls + 1))
  [ $((polls % 10)) -ne 0 ] || systemctl list-jobs --no-legend --plain | field jobs
  sleep 0.5
done
printf %s "$state" | field state
failed=$(systemctl list-units --state=failed --no-legend --plain | cut -d' ' -f1)
printf %s "$failed" | field failed
for unit in $failed; do
  { echo "$unit:"; journalctl -b -u "$unit" -n 8 -o cat --no-pager; } | field failed-log
done
systemctl list-unit-files --state=enabled --no-legend --plain | cut -d' ' -f1 | field enabled
systemctl show -p KernelTimestampMonotonic -p InitRDTimestampMonotonic -p UserspaceTimestampMonotonic \\
  -p FinishTimestampMonotonic | field times
dmesg | grep -E '] (Run [^ ]+ as init process|systemd\\[1\\]: systemd .* running in system mode)' | field kernel-log
systemctl show -p InactiveExitTimestampMonotonic -p ActiveEnterTimestampMonotonic \\
  cloud-init-local.service cloud-init.service | field cloud-init-times
[ ! -e /run/ingot-first-boot ] || echo yes | field first-boot
field machine-id </etc/machine-id
field hostname </proc/sys/kernel/hostname
field os-release </etc/os-release
uname -r | field kernel
{ stat -f -c '%S %b' /; device=/sys/dev/block/$(mountpoint -d /); cat "$device/size" "$device/../size"; } | field sizes
[ ! -e /run/cloud-init/result.json ] || field cloud-init </run/cloud-init/result.json
[ ! -x /usr/sbin/sshd ] || for key in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf "$key"; done | field ssh-keys
{
  for file in ${IDENTITY_FILES.join(' ')}; do
    [ ! -s "$file" ] || printf '%s %s\\n' "$file" "$(sha256sum <"$file" | cut -d' ' -f1)"
  done
  [ ! -s /run/cloud-init/.instance-id ] || printf 'instance-id %s\\n' "$(cat /run/cloud-init/.instance-id)"
  for file in /var/lib/dhcp/*.leases; do
    grep -h -m1 '^default-duid ' "$file" | while read -r name duid; do printf '%s %s\\n' "$file" "$duid"; done
  done
} | field identity
field uptime </proc/uptime
echo '${REPORT_END}'
`;

/** Type=simple: a oneshot would be a pending job, and the system would wait for the unit that waits for it. */
const REPORTER_UNIT = `[Unit]
Description=Report of the Ingot boot check
[Service]
Type=simple
ExecStart=/bin/sh ${REPORTER_SCRIPT}
`;

const FIRST_BOOT_UNIT = `[Unit]
Description=First-boot probe of the Ingot boot check
ConditionFirstBoot=yes
[Service]
Type=oneshot
ExecStart=/bin/touch /run/ingot-first-boot
`;

export interface InjectedFile {
  /** Absolute path in the guest. */
  readonly path: string;
  readonly content: string;
}

const UNITS = '/usr/lib/systemd/system';

/** Configuring the instance needs launch-time data, which a check does not have: it, and what waits for it, is left out. */
const NO_CONFIGURATION = `[Unit]
AssertPathExists=/run/ingot-boot-check/never
`;

/** Files to add to the guest's root. */
export const GUEST_FILES: readonly InjectedFile[] = [
  { path: REPORTER_SCRIPT, content: SCRIPT },
  { path: `${UNITS}/ingot-boot-report.service`, content: REPORTER_UNIT },
  { path: `${UNITS}/ingot-boot-probe.service`, content: FIRST_BOOT_UNIT },
  ...['first-boot', 'agent'].map((name) => ({
    path: `${UNITS}/ingot-${name}.service.d/boot-check.conf`,
    content: NO_CONFIGURATION,
  })),
];

/** basic.target is on the way to every default target. */
export const WANTS_FOLDER = `${UNITS}/basic.target.wants`;
export const WANTED_UNITS: readonly string[] = ['ingot-boot-report.service', 'ingot-boot-probe.service'];
