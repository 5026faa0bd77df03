import type { DiskBus } from './disk-bus.ts';
import { machineOf, overridden, type QemuOverride } from './qemu-overrides.ts';

export type { DiskBus } from './disk-bus.ts';

export type Firmware = 'bios' | 'uefi';
export type DiskFormat = 'raw' | 'qcow2';

/** An image file. Below a qcow2 overlay lies its `backing`, read-only; the names in a header are never followed. */
export interface QemuDisk {
  readonly path: string;
  readonly format: DiskFormat;
  readonly backing?: QemuDisk;
  readonly readOnly?: boolean;
  /** The content is thrown away: the guest's flushes need not reach the disk. */
  readonly volatile?: boolean;
}

/** Where a serial port of the guest goes: a file, or a unix socket in the state folder. */
export type SerialPort = { readonly file: string } | { readonly socket: string };

/** A way from a loopback port of the host to a TCP port of the guest. */
export interface Forward {
  readonly guest: number;
  /** 0: any free port. */
  readonly host: number;
}

/** Everything that QEMU's command line says, resolved. Relative names lie in the state folder (its cwd). */
export interface QemuCommand {
  readonly accel: 'kvm' | 'tcg';
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  readonly firmware: { readonly code: string; readonly vars: string } | 'bios';
  readonly disk: QemuDisk;
  readonly bus: DiskBus;
  readonly extraDisks: readonly QemuDisk[];
  /** COM1, COM2, … */
  readonly serial: readonly SerialPort[];
  /** `isolated`: DHCP and forwards work, nothing outside is reachable. */
  readonly network: 'none' | 'isolated' | 'user';
  readonly forwards: readonly Forward[];
  readonly kernel?: { readonly image: string; readonly initrd: string; readonly append: string };
  /** Unix socket that QEMU is steered by. */
  readonly monitor?: string;
  /** A restart of the guest is a restart; default: it ends QEMU. */
  readonly mayRestart?: boolean;
  /** Type of machine and processor as QEMU names them; default q35, and all that the accelerator has. */
  readonly machine?: string;
  readonly cpu?: string;
  /** Its address; default QEMU's, the same for every machine. */
  readonly mac?: string;
  /** Model of the network card; default virtio-net-pci. */
  readonly nic?: string;
  /** ISO images in the drive, the first one bootable. */
  readonly discs?: readonly QemuDisk[];
  /** Raw floppy image. */
  readonly floppy?: QemuDisk;
  /** Unix socket of a VNC server: the machine has a screen and a keyboard. */
  readonly vnc?: string;
  /** Options of the user (qemu-overrides.ts). */
  readonly overrides?: readonly QemuOverride[];
}

const DEVICES: Record<DiskBus, readonly string[]> = {
  virtio: ['virtio-blk-pci,drive=disk0,bootindex=1'],
  nvme: ['nvme,drive=disk0,serial=ingot,bootindex=1'],
  // What VirtualBox and Azure's first generation have: a PIIX (Linux: ata_piix), which q35 lacks.
  ide: ['piix3-ide,id=piix', 'ide-hd,drive=disk0,bus=piix.0,bootindex=1'],
  ahci: ['ide-hd,drive=disk0,bus=ide.0,bootindex=1'],
  'virtio-scsi': ['virtio-scsi-pci,id=scsi0', 'scsi-hd,drive=disk0,bus=scsi0.0,bootindex=1'],
  pvscsi: ['pvscsi,id=scsi0', 'scsi-hd,drive=disk0,bus=scsi0.0,bootindex=1'],
};

/**
 * The arguments of qemu-system-x86_64. Files go in as `-blockdev` JSON: no comma, colon or protocol prefix in a
 * name means anything there. The sandbox keeps a guest that breaks out of QEMU from starting programs.
 */
export function qemuArguments(c: QemuCommand): string[] {
  return c.overrides ? overridden(ourArguments(c), c.overrides) : ourArguments(c);
}

function ourArguments(c: QemuCommand): string[] {
  const args = [
    '-nodefaults',
    '-no-user-config',
    ...(c.mayRestart ? [] : ['-no-reboot']),
    '-display',
    'none',
  ];
  args.push('-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny');
  // Without graphics SeaBIOS and GRUB talk on the serial port, where a failure can be read.
  const graphics = c.vnc === undefined ? 'off' : 'on';
  const machine = `${c.machine ?? 'q35'},graphics=${graphics},smm=off${firmwareProperty(c.firmware)}`;
  args.push('-machine', machine, '-vga', c.vnc === undefined ? 'none' : 'std');
  if (c.vnc !== undefined) args.push('-vnc', `unix:${escapeOption(c.vnc)}`);
  args.push('-accel', c.accel === 'kvm' ? 'kvm' : 'tcg,thread=multi');
  args.push('-cpu', c.cpu ?? (c.accel === 'kvm' ? 'host' : 'max'));
  args.push('-smp', String(c.cpus), '-m', `${Math.ceil(c.memory / 1048576)}M`);
  if (c.firmware !== 'bios') {
    args.push(
      '-blockdev',
      flash('flash0', c.firmware.code, true),
      '-blockdev',
      flash('flash1', c.firmware.vars, false),
    );
  }
  args.push('-blockdev', blockdev('disk0', c.disk));
  const isOld = isOldBoard(machineOf(c.overrides) ?? c.machine);
  for (const device of devicesOf(c.bus, isOld)) args.push('-device', device);
  for (const [i, disk] of c.extraDisks.entries()) {
    args.push('-blockdev', blockdev(`extra${i}`, disk), '-device', `virtio-blk-pci,drive=extra${i}`);
  }
  for (const [i, disc] of (c.discs ?? []).entries()) {
    const boot = i === 0 ? ',bootindex=2' : '';
    args.push('-blockdev', blockdev(`disc${i}`, disc));
    // An old PC has two channels with two places each, a newer one six with one.
    const place = isOld ? `ide.1,unit=${i}` : `ide.${i + 1}`;
    args.push('-device', `ide-cd,drive=disc${i},bus=${place}${boot}`);
  }
  if (c.floppy) args.push('-blockdev', blockdev('floppy0', c.floppy), '-device', 'floppy,drive=floppy0');
  for (const [i, port] of c.serial.entries()) {
    args.push('-chardev', chardev(`serial${i}`, port), '-serial', `chardev:serial${i}`);
  }
  if (c.network !== 'none') args.push(...network(c));
  args.push('-object', 'rng-random,id=rng0,filename=/dev/urandom', '-device', 'virtio-rng-pci,rng=rng0');
  if (c.kernel) args.push('-kernel', c.kernel.image, '-initrd', c.kernel.initrd, '-append', c.kernel.append);
  if (c.monitor !== undefined) {
    args.push('-chardev', chardev('monitor', { socket: c.monitor }), '-mon', 'chardev=monitor,mode=control');
  }
  return args;
}

/** One that has its IDE channels on the board, and no SATA. */
function isOldBoard(machine = 'q35'): boolean {
  return /^(pc|pc-i440fx.*|isapc)$/.test(machine);
}

/** A board gets the controller that it has not. */
function devicesOf(bus: DiskBus, isOld: boolean): readonly string[] {
  if (!isOld) return DEVICES[bus];
  if (bus === 'ide') return ['ide-hd,drive=disk0,bus=ide.0,bootindex=1'];
  return bus === 'ahci' ? ['ahci,id=ahci0', 'ide-hd,drive=disk0,bus=ahci0.0,bootindex=1'] : DEVICES[bus];
}

function firmwareProperty(firmware: QemuCommand['firmware']): string {
  return firmware === 'bios' ? '' : ',pflash0=flash0,pflash1=flash1';
}

function flash(name: string, path: string, readOnly: boolean): string {
  return JSON.stringify({ driver: 'file', 'node-name': name, filename: path, 'read-only': readOnly });
}

function blockdev(name: string, disk: QemuDisk): string {
  return JSON.stringify({ 'node-name': name, ...blockNode(disk) });
}

/** A disk as QEMU's block layer describes it (qemu-qmp-ref(7), BlockdevOptions). */
export function blockNode(disk: QemuDisk): Record<string, unknown> {
  const common = {
    'read-only': disk.readOnly ?? false,
    ...(disk.volatile && { cache: { 'no-flush': true } }),
  };
  return {
    driver: disk.format,
    ...common,
    discard: disk.readOnly ? 'ignore' : 'unmap',
    file: { driver: 'file', filename: disk.path, ...common },
    // Said even where there is none: QEMU would otherwise open whatever the header names.
    ...(disk.format === 'qcow2' && {
      backing: disk.backing ? blockNode({ ...disk.backing, readOnly: true }) : null,
    }),
  };
}

function chardev(id: string, port: SerialPort): string {
  return 'file' in port
    ? `file,id=${id},path=${escapeOption(port.file)}`
    : `socket,id=${id},path=${escapeOption(port.socket)},server=on,wait=off`;
}

/** A value inside a comma-separated QEMU option. */
export function escapeOption(value: string): string {
  return value.replaceAll(',', ',,');
}

function network(c: QemuCommand): string[] {
  const forwards = c.forwards.map((f) => `,hostfwd=tcp:127.0.0.1:${f.host}-:${f.guest}`).join('');
  const restrict = c.network === 'isolated' ? ',restrict=on' : '';
  // No network boot: an empty disk must fail at once, not after a PXE timeout.
  const card = `${c.nic ?? 'virtio-net-pci'},netdev=net0,romfile=${c.mac === undefined ? '' : `,mac=${c.mac}`}`;
  return ['-netdev', `user,id=net0${restrict}${forwards}`, '-device', card];
}
