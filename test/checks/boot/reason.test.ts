import { describe, expect, it } from 'vitest';
import { consoleTail, describeProgress, explainConsole } from '../../../src/checks/boot/reason.ts';

describe('explainConsole', () => {
  // Excerpts of real consoles.
  it.each<[string, RegExp, boolean]>([
    [
      'Booting from Hard Disk...\r\nBoot failed: not a bootable disk\r\n\r\nNo bootable device.\r\n',
      /firmware found nothing/,
      true,
    ],
    ['BdsDxe: No bootable option or device was found.\r\n', /firmware found nothing/, true],
    ['UEFI Interactive Shell v2.2\r\nShell> ', /started its shell/, true],
    ['error: no such device: 1111-2222.\r\nEntering rescue mode...\r\ngrub rescue> ', /rescue prompt/, true],
    [
      '   Minimal BASH-like line editing is supported. For the first word, TAB lists\r\ngrub> ',
      /no configuration/,
      true,
    ],
    [
      "error: file `/boot/vmlinuz' not found.\r\nerror: you need to load the kernel first.\r\n",
      /GRUB: file/,
      false,
    ],
    [
      'Gave up waiting for root file system device.  Common problems:\r\nALERT!  UUID=aaaa does not exist.  Dropping to a shell!\r\n(initramfs) ',
      /root UUID=aaaa, which did not appear/,
      true,
    ],
    [
      '[    2.1] Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b\r\n',
      /kernel panic: Attempted to kill init/,
      true,
    ],
    [
      '[    1.2] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\r\n',
      /no root filesystem \(unknown-block\(0,0\)\)/,
      true,
    ],
    ["Kernel panic - not syncing: IO-APIC + timer doesn't work!  Boot with", /timer doesn't work/, true],
    ['You are in emergency mode. After logging in, type "journalctl -xb"', /emergency mode/, true],
    ['Cannot open access to console, the root account is locked.', /emergency mode/, true],
    ['[   30.1] Out of memory: Killed process 512 (cloud-init) total-vm:1', /killed cloud-init/, false],
  ])('%#', (console, reason, final) => {
    const found = explainConsole(console);
    expect(found?.reason).toMatch(reason);
    expect(found?.final).toBe(final);
    expect(found?.hint).not.toBe('');
  });

  it('finds nothing in a good boot', () => {
    const good = [
      'SeaBIOS (version 1.16.2-debian-1.16.2-1)\r\nBooting from Hard Disk...\r\n',
      '[    0.000000] Linux version 6.1.0-56-cloud-amd64\r\n[    0.1] printk: console [ttyS0] enabled\r\n',
      'Begin: Mounting root file system ... \r\n[  OK  ] Reached target Multi-User System.\r\nweb login: ',
    ].join('');
    expect(explainConsole(good)).toBeUndefined();
  });
});

it.each([
  ['', 'the console stayed silent'],
  ['SeaBIOS\r\nBooting from Hard Disk...\r\n', /console=ttyS0/],
  ['Welcome to GRUB!', 'the boot loader had started'],
  ['[0] Linux version 6.1', 'the kernel had started'],
  ['[0] Linux version 6.1\r\nWelcome to Debian GNU/Linux 12!', 'systemd was starting units'],
  ['Linux version 6\r\nWelcome to Debian\r\nweb login: ', /login prompt/],
])('describeProgress %#', (console, expected) => {
  expect(describeProgress(console)).toMatch(expected);
});

describe('consoleTail', () => {
  it('takes colours, screen control and empty lines away', () => {
    const text =
      '\u001b[2J\u001b[01;01H\u001b[=3hone\r\n\r\n[\u001b[0;32m  OK  \u001b[0m] two\r\nthree\u0007';
    expect(consoleTail(text, 40)).toEqual(['one', '[  OK  ] two', 'three']);
    expect(consoleTail(text, 1)).toEqual(['three']);
  });

  it('is quick on hostile consoles', () => {
    expect(consoleTail('\u001b['.repeat(500_000), 40).length).toBeLessThanOrEqual(40);
  });
});
