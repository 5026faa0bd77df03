import { attr } from '../../core/body-spec.ts';

/** Keys that Packer has and this source has not, and why. */
export const REFUSED: Readonly<Record<string, string>> = {
  iso_checksum_type: 'write the type in front of the checksum, iso_checksum = "sha256:…"',
  iso_checksum_url: 'write iso_checksum = "file:URL"',
  iso_skip_cache: 'an image is fetched, so that its content is known',
  disk_additional_size: 'an image is one disk',
  vga: 'set it in qemuargs',
  sockets: 'set -smp in qemuargs',
  cores: 'set -smp in qemuargs',
  threads: 'set -smp in qemuargs',
  net_bridge: 'the machine has a network of its own (user mode)',
  firmware: 'use efi_firmware_code',
  use_pflash: 'firmware is always in flash; use efi_firmware_code',
  vtpm: 'there is no emulated TPM',
  use_tpm1: 'there is no emulated TPM',
  tpm_device_type: 'there is no emulated TPM',
  qmp_enable: 'the monitor is for Ingot alone',
  qmp_socket_path: 'the monitor is for Ingot alone',
  run_once: 'the machine may restart as often as it likes',
  cdrom_interface: 'discs are on the board’s own controller',
  disable_vnc: 'leave boot_command out where there is nothing to type on',
  vnc_use_password: 'the screen is a socket of Ingot’s own',
  vnc_password: 'the screen is a socket of Ingot’s own',
  http_network_protocol: 'files are served over TCP',
  // Of the communicator.
  ssh_host: 'the machine is the one that is made',
  ssh_certificate_file: 'certificates are not supported; use the key alone',
  ssh_bastion_certificate_file: 'certificates are not supported; use the key alone',
  ssh_bastion_interactive: 'nobody is there to be asked',
  ssh_bastion_host: 'the machine runs here',
  ssh_proxy_host: 'the machine runs here',
  ssh_proxy_username: 'the machine runs here',
  ssh_proxy_password: 'the machine runs here',
  ssh_read_write_timeout: 'signs of life watch the connection (ssh_keep_alive_interval)',
  ssh_remote_tunnels: 'tunnels are not supported',
  ssh_local_tunnels: 'tunnels are not supported',
  ssh_clear_authorized_keys: 'sealing removes the key of the build',
};

/** Keys that are taken and change nothing here, and why. */
const IDLE: Readonly<Record<string, string>> = {
  iso_target_path: 'downloads are kept in the cache, by checksum',
  iso_target_extension: 'downloads are kept in the cache, by checksum',
  disk_cache: 'the cache mode cannot change the result',
  disk_discard: 'discards always reach the image',
  disk_detect_zeroes: 'outputs are always written without zeros',
  display: 'there is never a window',
  use_default_display: 'there is never a window',
  host_port_min: 'QEMU chooses a free port itself',
  host_port_max: 'QEMU chooses a free port itself',
  ssh_host_port_min: 'QEMU chooses a free port itself',
  ssh_host_port_max: 'QEMU chooses a free port itself',
  vnc_bind_address: 'the screen is a socket of Ingot’s own',
  vnc_port_min: 'the screen is a socket of Ingot’s own',
  vnc_port_max: 'the screen is a socket of Ingot’s own',
};

/** Their spec, so that each is refused by its own reason. What the communicator has is described there. */
export const refusedAttributes: Record<never, never> = Object.fromEntries([
  ...Object.entries(REFUSED)
    .filter(([key]) => !key.startsWith('ssh_'))
    .map(([key, why]) => [key, attr.any(`Not supported: ${why}.`)]),
  ...Object.entries(IDLE).map(([key, why]) => [key, attr.any(`No effect: ${why}.`, { unhashed: true })]),
]);
