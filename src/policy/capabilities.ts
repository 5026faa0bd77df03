/** Names by number (linux/capability.h). */
export const CAPABILITIES: readonly string[] = [
  'chown',
  'dac_override',
  'dac_read_search',
  'fowner',
  'fsetid',
  'kill',
  'setgid',
  'setuid',
  'setpcap',
  'linux_immutable',
  'net_bind_service',
  'net_broadcast',
  'net_admin',
  'net_raw',
  'ipc_lock',
  'ipc_owner',
  'sys_module',
  'sys_rawio',
  'sys_chroot',
  'sys_ptrace',
  'sys_pacct',
  'sys_admin',
  'sys_boot',
  'sys_nice',
  'sys_resource',
  'sys_time',
  'sys_tty_config',
  'mknod',
  'lease',
  'audit_write',
  'audit_control',
  'setfcap',
  'mac_override',
  'mac_admin',
  'syslog',
  'wake_alarm',
  'block_suspend',
  'audit_read',
  'perfmon',
  'bpf',
  'checkpoint_restore',
].map((name) => `cap_${name}`);

/**
 * Names of what `security.capability` permits or lets inherit (linux/capability.h, struct vfs_cap_data: a word of flags,
 * then permitted and inheritable, 32 bits each of revision 1, 64 in two words each of 2 and 3). A value of another shape
 * is told as `cap_unreadable`: it must not pass for none.
 */
export function readCapabilities(value: Buffer): string[] {
  const words = value.length === 12 ? 1 : value.length === 20 || value.length === 24 ? 2 : 0;
  if (words === 0) return ['cap_unreadable'];
  const found: string[] = [];
  for (let word = 0; word < words; word++) {
    const bits = value.readUInt32LE(4 + word * 8) | value.readUInt32LE(8 + word * 8);
    for (let bit = 0; bit < 32; bit++) {
      if (((bits >>> bit) & 1) === 0) continue;
      const number = word * 32 + bit;
      found.push(CAPABILITIES[number] ?? `cap_${number}`);
    }
  }
  return found.sort();
}
