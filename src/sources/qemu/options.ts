import { attr, block, bodySpec, type OptionProblem, type OptionsOf } from '../../core/body-spec.ts';
import type { QemuOverride } from '../../host/qemu-overrides.ts';
import { communicatorAttributes } from '../../machines/communicator-spec.ts';
import { parseBootCommand } from './boot-command.ts';
import { REFUSED, refusedAttributes } from './refused.ts';

const imgArgs = {
  convert: attr.any('Not supported.'),
  create: attr.any('Not supported.'),
  resize: attr.any('Not supported.'),
};

/** Keys of developer.hashicorp.com/packer/integrations/hashicorp/qemu/latest/components/builder/qemu. */
export const qemuSpec = bodySpec(
  {
    ...communicatorAttributes,
    ...refusedAttributes,
    iso_url: attr.string('Where the installer or the disk image is: a URL, or a path on this machine.'),
    iso_urls: attr.strings('The same image in several places, tried in order.'),
    iso_checksum: attr.string('`sha256:…`, `file:URL-or-path` of a list of checksums, or `none`.'),
    iso_checksum_signature: attr.string(
      'Detached GPG signature of the list in `iso_checksum = "file:…"`: a URL or a path. Not in Packer.',
    ),
    iso_checksum_keyring: attr.string('Binary keyring that the signature is checked against. Not in Packer.'),
    disk_image: attr.bool('The image is a disk to start from, not an installer.', { default: false }),
    use_backing_file: attr.bool('Keep the image below the new disk. Layers always do; needs disk_image.', {
      unhashed: true,
    }),
    disk_size: attr.string('Size of the disk; a number without a unit counts MiB.'),
    skip_resize_disk: attr.bool('Leave the disk as large as the image.', { default: false }),
    format: attr.string("Format of the template's own output.", {
      default: 'qcow2',
      oneOf: ['qcow2', 'raw'],
      unhashed: true,
    }),
    disk_compression: attr.bool("Compress the template's own output.", { default: false, unhashed: true }),
    skip_compaction: attr.bool('No effect: outputs are always written without holes.', { unhashed: true }),
    vm_name: attr.string("File name of the template's own output.", { unhashed: true }),
    output_directory: attr.string("Folder of the template's own output.", { unhashed: true }),
    accelerator: attr.string('kvm, tcg (emulation), or none, which is tcg.', {
      oneOf: ['kvm', 'tcg', 'none'],
      unhashed: true,
    }),
    machine_type: attr.string('Type of machine, as QEMU names it.', { default: 'q35' }),
    cpu_model: attr.string('Model of the processor, as QEMU names it.'),
    cpus: attr.number('Processors.', { default: 1, unhashed: true }),
    memory: attr.number('Memory in MiB.', { default: 512, unhashed: true }),
    disk_interface: attr.string('Bus of the disk.', {
      default: 'virtio',
      oneOf: ['virtio', 'virtio-scsi', 'ide', 'sata', 'nvme'],
    }),
    net_device: attr.string('Model of the network card.', { default: 'virtio-net' }),
    efi_boot: attr.bool('Boot by UEFI.', { default: false }),
    efi_firmware_code: attr.string('File of the firmware; implies efi_boot.'),
    efi_firmware_vars: attr.string("File of the firmware's empty variables."),
    efi_drop_efivars: attr.bool('No effect: the variables are never part of an output.', { unhashed: true }),
    headless: attr.bool('No effect: there is never a window.', { unhashed: true }),
    qemu_binary: attr.string('Must be qemu-system-x86_64.', { unhashed: true }),
    qemuargs: attr.any('Options for QEMU, each a list of words; they put ours of the same name out.', {
      goTemplate: true,
    }),
    boot_wait: attr.duration('Time until the keyboard is typed on.', { default: 10_000, unhashed: true }),
    boot_command: attr.strings('What is typed, with keys as <enter> and pauses as <wait5>.', {
      default: [],
      goTemplate: true,
    }),
    boot_key_interval: attr.duration('Time between two keys.', { default: 100, unhashed: true }),
    boot_keygroup_interval: attr.duration('Time between two items of boot_command.', {
      default: 0,
      unhashed: true,
    }),
    http_directory: attr.string('Folder that the machine can read over HTTP while it boots.'),
    http_content: attr.stringMap('Files that the machine can read over HTTP, by path.'),
    http_port_min: attr.number('Lowest port for that; default: any free one.', { unhashed: true }),
    http_port_max: attr.number('Highest port for that.', { unhashed: true }),
    http_bind_address: attr.string('127.0.0.1, which the machine reaches all the same, or 0.0.0.0.', {
      unhashed: true,
    }),
    cd_files: attr.strings('Files and folders of a disc for the machine.', { default: [] }),
    cd_content: attr.stringMap('Files of that disc, by path.', { default: {} }),
    cd_label: attr.string('Label of that disc.', { default: 'packer' }),
    floppy_files: attr.strings('Files for a floppy disk.', { default: [] }),
    floppy_dirs: attr.strings('Folders for it.', { default: [] }),
    floppy_content: attr.stringMap('Files of it, by path.', { default: {} }),
    floppy_label: attr.string('Label of it.', { default: 'packer' }),
    shutdown_command: attr.string('Command that shuts the machine down; default: its power button.', {
      unhashed: true,
    }),
    shutdown_timeout: attr.duration('How long that may take.', { default: 300_000, unhashed: true }),
    skip_nat_mapping: attr.bool('Must not be set: the machine is reached through a forwarded port.'),
    boot_steps: attr.any('Not supported; boot_command does the same.'),
  },
  { qemu_img_args: block(bodySpec(imgArgs), { doc: 'Not supported.' }) },
  (o): OptionProblem[] => problems(o as unknown as Checked),
);

type Decoded = OptionsOf<typeof qemuSpec>;

/** Decoded options, and what pinning adds. */
export interface QemuSourceOptions extends Omit<Decoded, 'qemuargs'> {
  readonly qemuargs?: unknown;
  readonly pinned?: PinnedImage;
  readonly engine?: 'vm' | 'container';
}

export interface PinnedImage {
  readonly sha256: string;
  /** Where it can be had: paths and URLs, best first. */
  readonly places: readonly string[];
}

interface Checked extends Readonly<Record<string, unknown>> {
  readonly iso_url: string | undefined;
  readonly iso_urls: readonly string[] | undefined;
  readonly iso_checksum: string | undefined;
  readonly iso_checksum_signature: string | undefined;
  readonly iso_checksum_keyring: string | undefined;
  readonly disk_image: boolean;
  readonly use_backing_file: boolean | undefined;
  readonly disk_size: string | undefined;
  readonly communicator: string;
  readonly ssh_username: string | undefined;
  readonly qemu_binary: string | undefined;
  readonly machine_type: string;
  readonly boot_command: readonly string[];
  readonly http_bind_address: string | undefined;
  readonly http_port_min: number | undefined;
  readonly http_port_max: number | undefined;
}

const MIB = 1024 * 1024;
const UNITS: Readonly<Record<string, number>> = {
  '': MIB,
  b: 1,
  k: 1024,
  m: MIB,
  g: 1024 * MIB,
  t: 1024 * 1024 * MIB,
};

/** `disk_size` in bytes: qemu-img's units, MiB where there is none. Undefined where it is no size. */
export function diskSize(text: string): number | undefined {
  const match = /^(\d{1,12})\s*([bkmgt]?)(?:i?b)?$/i.exec(text.trim());
  if (!match) return undefined;
  const size = Number(match[1]) * (UNITS[(match[2] as string).toLowerCase()] as number);
  return Number.isSafeInteger(size) && size > 0 ? Math.ceil(size / 512) * 512 : undefined;
}

/**
 * `qemuargs` as options with their values, or undefined where it is something else. As in Packer, all words behind the
 * name are one value, with nothing in between.
 */
export function qemuArgs(value: unknown): QemuOverride[] | undefined {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return undefined;
  const options: QemuOverride[] = [];
  for (const words of value as unknown[]) {
    if (!Array.isArray(words) || !words.every((word) => typeof word === 'string')) return undefined;
    const [name = '', ...rest] = words;
    if (!/^--?[A-Za-z0-9][A-Za-z0-9-]*$/.test(name)) return undefined;
    const joined = rest.join('');
    options.push(joined === '' ? [name] : [name, joined]);
  }
  return options;
}

/** Options that would take the machine out of our hands. */
const OURS = new Set([
  '-daemonize',
  '-incoming',
  '-loadvm',
  '-S',
  '-qmp',
  '-monitor',
  '-mon',
  '-sandbox',
  '-runas',
  '-pidfile',
]);

function problems(o: Checked): OptionProblem[] {
  const found: OptionProblem[] = [];
  const refuse = (key: string, message: string, hint?: string): void => {
    found.push({ path: [key], message, ...(hint !== undefined && { hint }) });
  };
  for (const [key, why] of Object.entries(REFUSED)) {
    if (o[key] !== undefined) refuse(key, `${key} is not supported by the source "qemu": ${why}`);
  }
  if (o.boot_steps !== undefined) refuse('boot_steps', 'boot_steps is not supported: use boot_command');
  if (o.qemu_img_args !== undefined)
    refuse('qemu_img_args', 'qemu_img_args is not supported: disks are made here');
  if (o.skip_nat_mapping === true)
    refuse('skip_nat_mapping', 'skip_nat_mapping is not supported: SSH goes through a forwarded port');
  const urls = [...(o.iso_url === undefined ? [] : [o.iso_url]), ...(o.iso_urls ?? [])];
  if (urls.length === 0)
    refuse('iso_url', 'the source "qemu" starts from an image: iso_url or iso_urls is needed');
  if (o.iso_url !== undefined && o.iso_urls !== undefined)
    refuse('iso_urls', 'only one of iso_url and iso_urls may be given');
  if (o.iso_checksum === undefined) {
    refuse(
      'iso_checksum',
      'iso_checksum is needed, such as "sha256:…" or "file:https://…/SHA256SUMS"',
      'iso_checksum = "none" takes whatever comes, once; the lock then holds its checksum.',
    );
  } else if (o.iso_checksum === 'none') {
    found.push({
      path: ['iso_checksum'],
      severity: 'warning',
      message: 'iso_checksum = "none": nothing says that the image is the right one',
      hint: 'Its checksum is kept in ingot.lock.json, and later builds insist on it.',
    });
  }
  if (o.iso_checksum_signature !== undefined && !o.iso_checksum?.startsWith('file:'))
    refuse(
      'iso_checksum_signature',
      'iso_checksum_signature needs iso_checksum = "file:…": a list is signed',
    );
  if ((o.iso_checksum_signature === undefined) !== (o.iso_checksum_keyring === undefined))
    refuse('iso_checksum_keyring', 'iso_checksum_signature and iso_checksum_keyring belong together');
  if (o.disk_size !== undefined && diskSize(o.disk_size) === undefined)
    refuse('disk_size', `"${o.disk_size}" is no size, such as 10G or 10240M`);
  if (o.use_backing_file && !o.disk_image)
    refuse('use_backing_file', 'use_backing_file needs disk_image = true');
  if (o.communicator === 'winrm')
    refuse('communicator', 'communicator "winrm" is not supported: machines are reached by ssh');
  if (o.communicator === 'ssh' && o.ssh_username === undefined)
    refuse('ssh_username', 'ssh_username is needed');
  if (o.qemu_binary !== undefined && !/(^|\/)qemu-system-x86_64$/.test(o.qemu_binary))
    refuse('qemu_binary', `qemu_binary "${o.qemu_binary}" is not supported: images are x86-64`);
  if (/[,\s]/.test(o.machine_type)) refuse('machine_type', `"${o.machine_type}" is no type of machine`);
  const { http_bind_address: address, http_port_min: lowest = 0, http_port_max: highest = 65_535 } = o;
  if (address !== undefined && !['127.0.0.1', '0.0.0.0'].includes(address))
    refuse(
      'http_bind_address',
      `http_bind_address "${address}" is not supported: the machine sees 127.0.0.1 of this one`,
      'Leave it out, or write "127.0.0.1" or "0.0.0.0".',
    );
  if (
    !(
      Number.isInteger(lowest) &&
      Number.isInteger(highest) &&
      0 <= lowest &&
      lowest <= highest &&
      highest <= 65_535
    )
  )
    refuse(
      o.http_port_min === undefined ? 'http_port_max' : 'http_port_min',
      `http_port_min and http_port_max are no range of ports: ${lowest} to ${highest}`,
    );
  const args = qemuArgs(o.qemuargs);
  if (!args)
    refuse(
      'qemuargs',
      'qemuargs is a list of options, each a list of a name and its value: [["-m", "1024M"]]',
    );
  for (const [name] of args ?? [])
    if (OURS.has(name.replace(/^--/, '-')))
      refuse('qemuargs', `qemuargs: ${name} is not supported: the machine would not be ours to run`);
  for (const text of o.boot_command) {
    const { error } = parseBootCommand(text);
    if (error !== undefined) refuse('boot_command', `boot_command: ${error}`);
  }
  return found;
}
