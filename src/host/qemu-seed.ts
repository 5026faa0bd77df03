import { join } from 'node:path';
import type { Host } from '../core/host.ts';
import type { QemuDisk } from './qemu-command.ts';
import { writeSeedImage } from './seed-image.ts';

export interface Seed {
  /** A new id makes cloud-init treat the boot as the first one. */
  readonly instanceId: string;
  readonly hostname: string;
  /** OpenSSH public keys for the image's default user. */
  readonly authorizedKeys?: readonly string[];
  /** Whom the keys let in, in place of the image's default user; made where there is none, and may use sudo. */
  readonly user?: string;
  /** Kinds of SSH host keys to make, such as `ed25519`; default: what the image says. */
  readonly hostKeys?: readonly string[];
}

/**
 * Writes a NoCloud seed (cloud-init docs, datasources/nocloud: a filesystem labelled CIDATA with `meta-data` and
 * `user-data`) as `<dir>/seed.img`. FAT on a plain disk: cloud kernels have no CD-ROM driver. JSON is YAML too.
 */
export async function writeSeed(host: Host, dir: string, seed: Seed): Promise<QemuDisk> {
  const metaData = { 'instance-id': seed.instanceId, 'local-hostname': seed.hostname };
  const userData = {
    hostname: seed.hostname,
    ...(seed.authorizedKeys?.length && loginOf(seed.authorizedKeys, seed.user)),
    ...(seed.hostKeys && { ssh_genkeytypes: seed.hostKeys }),
  };
  const path = join(dir, 'seed.img');
  await writeSeedImage(host, dir, path, 'vfat', {
    'meta-data': `${JSON.stringify(metaData)}\n`,
    'user-data': `#cloud-config\n${JSON.stringify(userData)}\n`,
  });
  return { path, format: 'raw', readOnly: true };
}

/** cloud-init docs, modules "Users and Groups" and "SSH". */
function loginOf(keys: readonly string[], user: string | undefined): Record<string, unknown> {
  if (user === undefined) return { ssh_authorized_keys: keys };
  const entry = { name: user, ssh_authorized_keys: keys, shell: '/bin/bash', sudo: 'ALL=(ALL) NOPASSWD:ALL' };
  return user === 'root'
    ? { disable_root: false, users: [{ name: 'root', ssh_authorized_keys: keys }] }
    : { users: ['default', entry] };
}
