import { describe, expect, test } from 'vitest';
import { decodeBody, emptyScope, parseHcl } from '../../../src/template/index.ts';
import { findChecksum, parseChecksum } from '../../../src/sources/qemu/checksum.ts';
import { containerRefusals } from '../../../src/sources/qemu/container-refusals.ts';
import { isOwnDisk } from '../../../src/sources/qemu/inputs.ts';
import { diskSize, qemuArgs, qemuSpec, type QemuSourceOptions } from '../../../src/sources/qemu/options.ts';

const SHA256 = 'a'.repeat(64);
const SHA512 = 'b'.repeat(128);

function decode(text: string) {
  const { body } = parseHcl(
    `iso_url = "base.qcow2"\niso_checksum = "sha256:${SHA256}"\nssh_username = "root"\n${text}`,
    'qemu.pkr.hcl',
  );
  return decodeBody(body, qemuSpec, emptyScope());
}

describe('options', () => {
  test('a small template has no findings', () => expect(decode('disk_image = true').diagnostics).toEqual([]));

  test.each([
    ['net_bridge = "br0"', 'net_bridge is not supported'],
    ['ssh_bastion_host = "b"', 'ssh_bastion_host is not supported'],
    ['vtpm = true', 'vtpm is not supported'],
    ['communicator = "winrm"', 'winrm'],
    ['disk_size = "ten"', 'is no size'],
    ['use_backing_file = true', 'needs disk_image'],
    ['qemuargs = [["m", "1"]]', 'qemuargs is a list'],
    ['qemuargs = [["-daemonize"]]', '-daemonize is not supported'],
    ['qemuargs = [["--daemonize", ""]]', '--daemonize is not supported'],
    ['qemuargs = [["-S"]]', '-S is not supported'],
    ['qemu_img_args {\n  convert = ["-o", "preallocation=full"]\n}', 'qemu_img_args is not supported'],
    ['boot_steps = [["<enter>", "begin"]]', 'boot_steps is not supported'],
    ['iso_skip_cache = true', 'iso_skip_cache is not supported'],
    ['http_bind_address = "192.0.2.1"', 'http_bind_address "192.0.2.1" is not supported'],
    ['http_port_min = 9000\nhttp_port_max = 8000', 'no range of ports: 9000 to 8000'],
    ['http_port_max = 70000', 'no range of ports: 0 to 70000'],
    ['qemu_binary = "qemu-system-aarch64"', 'x86-64'],
    ['boot_command = ["<wait99h>"]', 'more than a day'],
    ['machine_type = "pc,x=y"', 'no type of machine'],
    ['iso_urls = ["x"]', 'only one of'],
    ['no_such_key = 1', 'no_such_key'],
  ])('%s is refused', (text, message) => {
    const found = decode(text).diagnostics.filter((d) => d.severity === 'error');
    expect(found.map((d) => d.message).join('\n')).toContain(message);
  });

  test('what cannot change the image is taken', () => {
    const text = 'disk_discard = "unmap"\ndisk_cache = "unsafe"\nhost_port_min = 2000\nvnc_port_min = 5900';
    const { diagnostics, hashForm } = decode(text);
    expect(diagnostics).toEqual([]);
    expect(hashForm).toEqual(decode('').hashForm);
  });

  test('checksum none is a warning', () => {
    const { body } = parseHcl('iso_url = "x"\niso_checksum = "none"\nssh_username = "root"', 'q.pkr.hcl');
    expect(decodeBody(body, qemuSpec, emptyScope()).diagnostics).toMatchObject([{ severity: 'warning' }]);
  });

  test.each([
    ['40960', 40_960 * 1024 ** 2],
    ['10G', 10 * 1024 ** 3],
    ['512M', 512 * 1024 ** 2],
    ['1000b', 1024],
    ['2TiB', 2 * 1024 ** 4],
    ['0', undefined],
    ['-1G', undefined],
    ['1e9', undefined],
  ])('disk_size %s', (text, size) => expect(diskSize(text)).toBe(size));

  test.each<[unknown, unknown]>([
    [undefined, []],
    [
      [['-m', '1G'], ['-nographic']],
      [['-m', '1G'], ['-nographic']],
    ],
    // From Packer's documentation.
    [
      [
        ['--no-acpi', ''],
        ['-netdev', 'user,id=mynet0,', 'hostfwd=hostip:hostport-guestip:guestport', ''],
        ['-M', 'pc'],
      ],
      [['--no-acpi'], ['-netdev', 'user,id=mynet0,hostfwd=hostip:hostport-guestip:guestport'], ['-M', 'pc']],
    ],
    ['-m 1G', undefined],
    [[['-m', 1]], undefined],
    [[['-m,x', '1']], undefined],
    [[[]], undefined],
  ])('qemuargs %j', (value, args) => expect(qemuArgs(value)).toEqual(args));
});

describe('checksums', () => {
  test.each([
    [`sha256:${SHA256}`, { name: 'sha256', hex: SHA256 }],
    [SHA512.toUpperCase(), { name: 'sha512', hex: SHA512 }],
    [`md5:${SHA256}`, undefined],
    ['sha256:xyz', undefined],
    ['', undefined],
  ])('%s', (text, checksum) => expect(parseChecksum(text)).toEqual(checksum));

  test.each([
    [`${'c'.repeat(64)}  other.iso\n${SHA256}  disk.qcow2\n`, SHA256],
    [`${SHA256} *./images/disk.qcow2\n${'c'.repeat(64)}  x`, SHA256],
    [`# list\nSHA256 (disk.qcow2) = ${SHA256}\n`, SHA256],
    [`${SHA256}\n`, SHA256],
    [`${'c'.repeat(64)}  other.iso\n${'d'.repeat(64)}  more.iso\n`, undefined],
    ['', undefined],
  ])('a list: %j', (list, hex) => {
    expect(findChecksum(list, 'https://example.org/x/disk.qcow2?token=1')?.hex).toBe(hex);
  });
});

describe('engine "container"', () => {
  const options = (text: string): QemuSourceOptions => decode(text).options as unknown as QemuSourceOptions;
  test.each([
    ['', 'installer'],
    ['disk_image = true\nboot_command = ["<enter>"]', 'keyboard'],
    ['disk_image = true\nqemuargs = [["-kernel", "k"]]', 'kernel of its own'],
  ])('%s is refused', (text, reason) => expect(() => containerRefusals(options(text))).toThrow(reason));
  test('a disk image is taken', () =>
    expect(containerRefusals(options('disk_image = true'))).toBeUndefined());
});

test.each([
  ['out/packer-web', { output_directory: 'out', vm_name: undefined }, true],
  ['out/web.qcow2', { output_directory: 'out', vm_name: 'web.qcow2' }, true],
  ['seed.iso', { output_directory: 'out', vm_name: undefined }, false],
  ['data/packer-x', { output_directory: 'out', vm_name: undefined }, false],
])('%s is the disk that is there anyway: %j %s', (file, o, own) => expect(isOwnDisk(file, o)).toBe(own));
