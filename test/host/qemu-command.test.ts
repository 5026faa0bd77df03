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
