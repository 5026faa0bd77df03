import { describe, expect, it } from 'vitest';
import { type DiskBus, qemuArguments, type QemuCommand } from '../../src/host/qemu-command.ts';
import { ConsoleKeys } from '../../src/host/qemu-console.ts';

const COMMAND: QemuCommand = {
  accel: 'tcg',
  cpus: 2,
  memory: 1024 ** 3,
  firmware: 'bios',
  disk: { path: '/d.qcow2', format: 'qcow2' },
  bus: 'virtio',
  extraDisks: [],
  serial: [{ file: 'console.log' }],
  network: 'none',
  forwards: [],
  monitor: 'monitor.sock',
};

/** Values of an option that may come more than once. */
function values(args: readonly string[], option: string): string[] {
  return args.flatMap((arg, i) => (arg === option ? [args[i + 1] ?? ''] : []));
}

const HOSTILE = '/tmp/a,readonly=off:json:{"driver":"nbd"},file=/etc/shadow -snapshot.qcow2';

describe('qemuArguments', () => {
  it('takes any file name as a file name', () => {
    const args = qemuArguments({
      ...COMMAND,
      disk: { path: HOSTILE, format: 'qcow2' },
      serial: [{ file: HOSTILE }],
    });
    expect(JSON.parse(values(args, '-blockdev')[0] ?? '')).toMatchObject({
      driver: 'qcow2',
      file: { driver: 'file', filename: HOSTILE },
    });
    expect(values(args, '-chardev')[0]).toBe(`file,id=serial0,path=${HOSTILE.replaceAll(',', ',,')}`);
  });

  it('never follows names in headers', () => {
    const [disk] = values(qemuArguments(COMMAND), '-blockdev');
    expect(JSON.parse(disk ?? '')).toMatchObject({ backing: null });
  });

  it('opens what lies below read-only, at every depth', () => {
    const base = { path: '/base', format: 'qcow2', backing: { path: '/bottom', format: 'raw' } } as const;
    const args = qemuArguments({ ...COMMAND, disk: { path: '/top', format: 'qcow2', backing: base } });
    expect(JSON.parse(values(args, '-blockdev')[0] ?? '')).toMatchObject({
      'read-only': false,
      backing: {
        'read-only': true,
        file: { 'read-only': true },
        backing: { driver: 'raw', 'read-only': true, file: { 'read-only': true } },
      },
    });
  });

  it.each<[DiskBus, RegExp]>([
    ['virtio', /^virtio-blk-pci,/],
    ['nvme', /^nvme,/],
    ['ahci', /^ide-hd,.*bus=ide\.0/],
    ['ide', /^ide-hd,.*bus=piix\.0/],
    ['pvscsi', /^scsi-hd,.*bus=scsi0\.0/],
    ['virtio-scsi', /^scsi-hd,.*bus=scsi0\.0/],
  ])('puts the disk on %s', (bus, device) => {
    const found = values(qemuArguments({ ...COMMAND, bus }), '-device').filter((d) =>
      d.includes('drive=disk0'),
    );
    expect(found).toEqual([expect.stringMatching(device)]);
  });

  it('keeps guests off the network unless asked', () => {
    expect(qemuArguments(COMMAND)).not.toContain('-netdev');
    const forwards = [{ guest: 22, host: 0 }];
    expect(values(qemuArguments({ ...COMMAND, network: 'isolated', forwards }), '-netdev')).toEqual([
      'user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:0-:22',
    ]);
    expect(values(qemuArguments({ ...COMMAND, network: 'user' }), '-netdev')).toEqual(['user,id=net0']);
  });

  it('gives UEFI its code read-only and its variables writable', () => {
    const flash = values(
      qemuArguments({ ...COMMAND, firmware: { code: '/code', vars: 'vars' } }),
      '-blockdev',
    ).map((text) => JSON.parse(text) as object);
    expect(flash.slice(0, 2)).toMatchObject([
      { filename: '/code', 'read-only': true },
      { filename: 'vars', 'read-only': false },
    ]);
  });

  it('runs in the sandbox, without defaults and reboots', () => {
    const args = qemuArguments(COMMAND);
    expect(args).toEqual(expect.arrayContaining(['-nodefaults', '-no-user-config', '-no-reboot']));
    expect(values(args, '-sandbox')[0]).toContain('spawn=deny');
  });
});

describe('options of the user', () => {
  const network: QemuCommand = { ...COMMAND, network: 'user', forwards: [{ guest: 22, host: 0 }] };
  const forward = 'hostfwd=tcp:127.0.0.1:0-:22';
  const cards = (args: readonly string[]): string[] =>
    values(args, '-device').filter((device) => device.includes('netdev='));

  it('a name that they give is theirs alone, but for disk, console and monitor', () => {
    const args = qemuArguments({
      ...COMMAND,
      overrides: [
        ['-m', '2G'],
        ['-cpu', 'host'],
        ['--no-acpi'],
        ['-device', 'usb-ehci'],
        ['-serial', 'file:x'],
      ],
    });
    expect(values(args, '-m')).toEqual(['2G']);
    expect(values(args, '-cpu')).toEqual(['host']);
    expect(args).toContain('-no-acpi');
    expect(values(args, '-device')).toEqual(
      expect.arrayContaining(['virtio-blk-pci,drive=disk0,bootindex=1', 'usb-ehci']),
    );
    expect(values(args, '-serial')).toEqual(['chardev:serial0', 'file:x']);
  });

  it.each<[string, string, string[]]>([
    ['type=pc,accel=kvm', 'type=pc,accel=kvm', []],
    ['accel=kvm:tcg', 'q35,accel=kvm:tcg', []],
    ['q35,smm=on', 'q35,smm=on', ['tcg,thread=multi']],
  ])('-machine %s', (given, machine, accel) => {
    for (const name of ['-machine', '-M', '--machine']) {
      const args = qemuArguments({ ...COMMAND, overrides: [[name, given]] });
      expect(values(args, '-machine')).toEqual([machine]);
      expect(values(args, '-accel')).toEqual(accel);
    }
  });

  it('-machine keeps the firmware, and -enable-kvm is an accelerator', () => {
    const uefi = { ...COMMAND, firmware: { code: '/code', vars: 'vars' } };
    const args = qemuArguments({ ...uefi, overrides: [['-machine', 'q35,accel=kvm'], ['-enable-kvm']] });
    expect(values(args, '-machine')).toEqual(['q35,accel=kvm,pflash0=flash0,pflash1=flash1']);
    expect(values(args, '-accel')).toEqual(['kvm']);
    expect(args).not.toContain('-enable-kvm');
  });

  it('one network: theirs with our port, or ours by their name', () => {
    // Both from Packer's documentation.
    const both = qemuArguments({
      ...network,
      overrides: [
        ['-netdev', 'user,hostfwd=tcp::0-:22,id=forward'],
        ['-device', 'virtio-net,netdev=forward,id=net0'],
      ],
    });
    expect(values(both, '-netdev')).toEqual([`user,hostfwd=tcp::0-:22,id=forward,${forward}`]);
    expect(cards(both)).toEqual(['virtio-net,netdev=forward,id=net0']);

    const card = qemuArguments({ ...network, overrides: [['-device', 'e1000,netdev=user.0']] });
    expect(values(card, '-netdev')).toEqual([`user,id=user.0,${forward}`]);
    expect(cards(card)).toEqual(['e1000,netdev=user.0']);

    const noCard = qemuArguments({ ...network, overrides: [['-netdev', 'user,id=user.0,net=10.1.0.0/16']] });
    expect(values(noCard, '-netdev')).toEqual([`user,id=user.0,net=10.1.0.0/16,${forward}`]);
    expect(cards(noCard)).toEqual(['virtio-net-pci,netdev=user.0,romfile=']);

    const second = qemuArguments({
      ...network,
      overrides: [
        ['-netdev', 'tap,id=lan'],
        ['-device', 'e1000,netdev=lan'],
      ],
    });
    expect(values(second, '-netdev')).toEqual([`user,id=net0,${forward}`, 'tap,id=lan']);
    expect(cards(second)).toEqual(['virtio-net-pci,netdev=net0,romfile=', 'e1000,netdev=lan']);
  });

  it('discs and disks find their places on an old board', () => {
    const disc = { path: '/a.iso', format: 'raw', readOnly: true } as const;
    const old: QemuCommand = { ...COMMAND, machine: 'pc', discs: [disc, disc] };
    const places = (command: QemuCommand): string[] =>
      values(qemuArguments(command), '-device').filter((device) => device.startsWith('ide-cd'));
    const two = ['ide-cd,drive=disc0,bus=ide.1,unit=0,bootindex=2', 'ide-cd,drive=disc1,bus=ide.1,unit=1'];
    expect(places(old)).toEqual(two);
    expect(places({ ...old, machine: 'q35', overrides: [['-machine', 'type=pc,accel=tcg']] })).toEqual(two);
    expect(values(qemuArguments({ ...old, bus: 'ahci' }), '-device')).toContain('ahci,id=ahci0');
  });
});

describe('ConsoleKeys', () => {
  const type = (...chunks: string[]): [string, boolean] => {
    const keys = new ConsoleKeys();
    const taken = chunks.map((c) => keys.take(Buffer.from(c)));
    return [taken.map((t) => t.data.toString()).join(''), taken.some((t) => t.quit)];
  };

  it.each<[string[], [string, boolean]]>([
    [['ls\r'], ['ls\r', false]],
    [['a\u0001xb'], ['a', true]],
    [
      ['\u0001', 'x'],
      ['', true],
    ],
    [['\u0001\u0001x'], ['\u0001x', false]],
    [['\u0001b'], ['\u0001b', false]],
    [
      ['é', '\u0003'],
      ['é\u0003', false],
    ],
  ])('%j', (chunks, expected) => {
    expect(type(...chunks)).toEqual(expected);
  });
});
