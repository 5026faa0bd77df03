/** Why a machine did not come up, as its console tells it. */
export interface BootFailure {
  readonly reason: string;
  readonly hint: string;
  /** Nothing better will follow: no need to wait for the timeout. */
  readonly final: boolean;
}

interface Pattern {
  readonly match: RegExp;
  readonly reason: (m: RegExpExecArray) => string;
  readonly hint: string;
  readonly final: boolean;
}

/** Most telling first: a panic explains more than the missing root that led to it is explained by. */
const PATTERNS: readonly Pattern[] = [
  {
    match: /VFS: Unable to mount root fs on (\S+)/,
    reason: (m) => `the kernel found no root filesystem (${m[1]})`,
    hint: 'Is an initramfs loaded, and does it have the driver of this disk bus?',
    final: true,
  },
  {
    match: /ALERT!\s+(\S+) does not exist\.\s+Dropping to a shell/,
    reason: (m) => `the initramfs waited for the root ${m[1]}, which did not appear`,
    hint: 'Does root= name the right UUID, and does the kernel have the driver of this disk bus? The cloud kernel has virtio and NVMe only; linux-image-amd64 has AHCI and pvscsi too.',
    final: true,
  },
  {
    match: /Kernel panic - not syncing: (IO-APIC \+ timer doesn't work)/,
    reason: (m) => `kernel panic: ${m[1]}`,
    hint: 'A host too busy for an emulated machine kept the timer back: try again, or give the kernel the option no_timer_check, as cloud images do.',
    final: true,
  },
  {
    match: /Kernel panic - not syncing: ([^\r\n]*)/,
    reason: (m) => `kernel panic: ${m[1]}`,
    hint: 'The console above the panic says what failed.',
    final: true,
  },
  {
    match: /No working init found|Requested init \S+ failed/,
    reason: () => 'the kernel found no init',
    hint: 'Is systemd-sysv installed, and is /sbin/init there?',
    final: true,
  },
  {
    match: /\(initramfs\)/,
    reason: () => 'the initramfs stopped in its shell',
    hint: 'The console says which command failed.',
    final: true,
  },
  {
    match: /You are in (emergency|rescue) mode|Cannot open access to console, the root account is locked/,
    reason: (m) => `systemd stopped in ${m[1] ?? 'emergency'} mode`,
    hint: 'A mount in /etc/fstab or another needed unit failed; the console says which.',
    final: true,
  },
  {
    match: /grub rescue>/,
    reason: () => 'GRUB did not find its modules (rescue prompt)',
    hint: 'Does the boot loader search for the UUID of the root filesystem that is in the image?',
    final: true,
  },
  {
    match: /Minimal BASH-like line editing is supported/,
    reason: () => 'GRUB found no configuration (command prompt)',
    hint: 'Is there a /boot/grub/grub.cfg, and a kernel in /boot?',
    final: true,
  },
  {
    match:
      /error: ([^\r\n]*(?:not found|no such device|unknown filesystem|you need to load the kernel first)[^\r\n]*)/,
    reason: (m) => `GRUB: ${m[1]}`,
    hint: 'Do grub.cfg and the files in /boot agree?',
    final: false,
  },
  {
    match: /No bootable device|BdsDxe: No bootable option|Boot failed: not a bootable disk/,
    reason: () => 'the firmware found nothing to boot on the disk',
    hint: 'BIOS needs boot code in the first sector, UEFI needs EFI/BOOT/BOOTX64.EFI on the ESP.',
    final: true,
  },
  {
    match: /UEFI Interactive Shell|Shell> /,
    reason: () => 'the UEFI firmware found nothing to boot on the disk and started its shell',
    hint: 'UEFI needs EFI/BOOT/BOOTX64.EFI on an ESP.',
    final: true,
  },
  {
    match: /Out of memory: Killed process \d+ \(([^)]*)\)/,
    reason: (m) => `memory ran out; the kernel killed ${m[1]}`,
    hint: 'Give the machine more: memory = "2G".',
    final: false,
  },
  {
    match: /No space left on device/,
    reason: () => 'the root filesystem is full',
    hint: 'Give the disk more room.',
    final: false,
  },
];

/** The most telling pattern in a console's text, if any. */
export function explainConsole(text: string): BootFailure | undefined {
  for (const { match, reason, hint, final } of PATTERNS) {
    const found = match.exec(text);
    if (found) return { reason: reason(found), hint, final };
  }
  return undefined;
}

/** How far a machine came whose console shows no known failure. */
export function describeProgress(text: string): string {
  if (/\blogin: *$/m.test(text)) return 'the login prompt was there, but no report came';
  if (/systemd\[1\]:|Welcome to (?!GRUB)/.test(text)) return 'systemd was starting units';
  if (/Linux version /.test(text)) return 'the kernel had started';
  if (/GRUB|Loading Linux/.test(text)) return 'the boot loader had started';
  if (/Booting from Hard Disk|BdsDxe: starting/.test(text)) {
    return 'the firmware had started the disk, and the console stayed silent (does the kernel have console=ttyS0?)';
  }
  return 'the console stayed silent';
}

/** The last `count` lines of a console, without terminal control sequences and empty lines. */
export function consoleTail(text: string, count: number): string[] {
  return (
    text
      .slice(-count * 400)
      // oxlint-disable-next-line no-control-regex -- consoles are full of them
      .replaceAll(/\u001b(?:\[[0-?]*[ -/]*[@-~]|[()][0-9A-B]|[@-Z\\-_c78=>])/g, '')
      .split(/[\r\n]+/)
      // oxlint-disable-next-line no-control-regex
      .map((line) => line.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '').trimEnd())
      .filter(Boolean)
      .slice(-count)
  );
}
