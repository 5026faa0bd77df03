import type { Rootfs } from '../../../core/rootfs.ts';
import type { DpkgFacts } from './dpkg-facts.ts';

/** Where people put what their image is about. */
const TOPS = ['/etc', '/home', '/opt', '/root', '/srv', '/usr/local', '/var/www'];
/** Files of no package that every system has, made by the tools of its packages or by us; all below a name that ends in a slash. */
const GENERATED = [
  '/etc/.pwd.lock',
  '/etc/adjtime',
  '/etc/alternatives/',
  '/etc/apt/',
  '/etc/ca-certificates.conf',
  '/etc/default/locale',
  '/etc/environment',
  '/etc/fstab',
  '/etc/group',
  '/etc/gshadow',
  '/etc/hostname',
  '/etc/hosts',
  '/etc/image-release',
  '/etc/initramfs-tools/conf.d/ingot',
  '/etc/ld.so.cache',
  '/etc/locale.conf',
  '/etc/localtime',
  '/etc/machine-id',
  '/etc/mailname',
  '/etc/motd',
  '/etc/mtab',
  '/etc/nsswitch.conf',
  '/etc/passwd',
  '/etc/profile',
  '/etc/resolv.conf',
  '/etc/shadow',
  '/etc/shells',
  '/etc/ssl/certs/',
  '/etc/subgid',
  '/etc/subuid',
  '/etc/systemd/system-preset/00-ingot.preset',
  '/etc/systemd/user-preset/00-ingot.preset',
  '/etc/timezone',
  '/root/.bashrc',
  '/root/.profile',
];
/** An application's own tree may have any number; what is looked at of it says enough. */
const MOST = 50_000;

/** Files that no package brought, and no package's tool made: the provisioners' work. */
export function addedFiles(root: Rootfs, dpkg: DpkgFacts): string[] {
  const found: string[] = [];
  let seen = 0;
  for (const top of TOPS) {
    for (const { path, stat } of root.walk(top)) {
      if (++seen > MOST) return found;
      if (stat.isFile() && !dpkg.owners.has(path) && !isGenerated(path) && !dpkg.isMade(path))
        found.push(path);
    }
  }
  return found;
}

function isGenerated(path: string): boolean {
  // shadow(5)'s tools keep the last state as `passwd-`.
  const plain = path.replace(/-$/, '');
  return (
    GENERATED.some((name) => (name.endsWith('/') ? path.startsWith(name) : plain === name)) || isHostKey(path)
  );
}

function isHostKey(path: string): boolean {
  return path.startsWith('/etc/ssh/ssh_host_');
}
