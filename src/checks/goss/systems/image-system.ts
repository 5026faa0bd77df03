import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { IngotError } from '../../../core/error.ts';
import type { Rootfs } from '../../../core/rootfs.ts';
import { type GossResource, subjectOf } from '../resource.ts';
import { FactError, type System } from '../system.ts';
import { type GoValue, Reader, Strings } from '../values.ts';
import { type Group, groupsOf, readGroups, readUsers, textIfThere, type User } from './accounts.ts';
import { readFstab, sysctlSetting } from './boot-settings.ts';
import { isEnabled, unitFile, unitName } from './enabled-units.ts';
import { absolutePath, type FilePlace, homeIn, placeOf } from './file-place.ts';
import { followLinks } from './follow-links.ts';
import { hasSystemd, runlevelsOf } from './init-services.ts';
import { type InstalledPackages, packagesAreRead, readPackages, versionsOf } from './package-databases.ts';

/**
 * An unbooted image: what its files decide. Links are followed inside the image only, devices are never opened, and
 * nothing of the image is executed.
 */
export class ImageSystem implements System {
  readonly #root: Rootfs;
  readonly #users: readonly User[];
  readonly #groups: readonly Group[];
  #packages: InstalledPackages | undefined;
  #packagesRead = false;

  constructor(root: Rootfs) {
    this.#root = root;
    this.#users = readUsers(textIfThere(root, '/etc/passwd'));
    this.#groups = readGroups(textIfThere(root, '/etc/group'));
  }

  /** Whether the image alone tells the fact, now and after any boot. */
  decides(resource: GossResource, attribute: string): boolean {
    const subject = subjectOf(resource);
    switch (resource.type) {
      case 'file':
        return this.placeOf(subject, attribute) === 'disk';
      case 'package':
        return packagesAreRead(this.#root);
      case 'user':
      case 'group':
        return this.#root.exists('/etc/passwd');
      case 'service':
        if (attribute === 'runlevels') return true;
        return (
          attribute === 'enabled' && (!hasSystemd(this.#root) || isEnabled(this.#root, subject) !== undefined)
        );
      case 'kernel-param':
        return sysctlSetting(this.#root, subject) !== undefined;
      case 'mount':
        return this.#mountFact(subject, attribute) !== undefined;
      default:
        return false;
    }
  }

  /** Where an attribute of a file is decided. Of a home that nobody has, the image alone tells that. */
  placeOf(file: string, attribute: string): FilePlace {
    try {
      return placeOf(this.#root, this.#path(file), attribute);
    } catch (error) {
      if (error instanceof FactError) return 'disk';
      throw error;
    }
  }

  #path(written: string): string {
    return absolutePath(written, homeIn(this.#users));
  }

  fact(resource: GossResource, attribute: string): Promise<GoValue> {
    return new Promise((resolve) => {
      resolve(this.#fact(resource, attribute));
    });
  }

  #fact(resource: GossResource, attribute: string): GoValue {
    const subject = subjectOf(resource);
    switch (resource.type) {
      case 'file':
        return this.#fileFact(this.#path(subject), attribute);
      case 'package':
        return this.#packageFact(subject, attribute);
      case 'user':
        return this.#userFact(subject, attribute);
      case 'group': {
        const group = this.#groups.find((g) => g.name === subject);
        if (attribute === 'exists') return group !== undefined;
        if (!group) throw new FactError(`group: unknown group ${subject}`);
        return BigInt(group.gid);
      }
      case 'service':
        return this.#serviceFact(subject, attribute);
      case 'kernel-param':
        return sysctlSetting(this.#root, subject) ?? null;
      case 'mount':
        return this.#mountFact(subject, attribute) ?? null;
      default:
        throw new FactError(`a ${resource.type} can't be seen in an unbooted image`);
    }
  }

  #fileFact(path: string, attribute: string): GoValue {
    try {
      return this.#fileFactOf(path, attribute);
    } catch (error) {
      if (error instanceof IngotError) throw new FactError(error.message);
      throw error;
    }
  }

  #fileFactOf(path: string, attribute: string): GoValue {
    const stat = this.#root.lstat(path);
    if (attribute === 'exists') return stat !== undefined;
    if (!stat) throw new FactError(`lstat ${path}: no such file or directory`);
    switch (attribute) {
      case 'mode':
        return (stat.mode & 0o7777).toString(8).padStart(4, '0');
      case 'size':
        return BigInt(stat.size);
      case 'uid':
        return BigInt(stat.uid);
      case 'gid':
        return BigInt(stat.gid);
      case 'owner':
        return nameOf(this.#users.find((u) => u.uid === stat.uid)?.name, 'passwd', stat.uid);
      case 'group':
        return nameOf(this.#groups.find((g) => g.gid === stat.gid)?.name, 'group', stat.gid);
      case 'linked-to':
        if (!stat.isSymbolicLink()) throw new FactError(`readlink ${path}: invalid argument`);
        return this.#root.readLink(path);
      case 'filetype':
        return filetypeOf(stat);
      case 'contents':
      case 'contains':
        return new Reader(() => this.#chunks(path), '*os.File');
      default: {
        const hash = createHash(attribute);
        for (const chunk of this.#chunks(path)) hash.update(chunk);
        return hash.digest('hex');
      }
    }
  }

  /** Bytes of a regular file, its links followed inside the image. */
  *#chunks(path: string): Generator<Uint8Array> {
    const host = this.#followed(path);
    // O_NONBLOCK: a pipe that took the file's place would hold us up.
    const file = openSync(host, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(file);
      if (!stat.isFile())
        throw new FactError(`read ${path}: is a ${filetypeOf(stat)}, expected a regular file`);
      const buffer = Buffer.allocUnsafe(256 * 1024);
      for (let n = readSync(file, buffer); n > 0; n = readSync(file, buffer))
        yield Buffer.from(buffer.subarray(0, n));
    } finally {
      closeSync(file);
    }
  }

  /** Host path of what a path leads to; never outside of the image. */
  #followed(path: string): string {
    const at = followLinks(this.#root, path);
    const stat = at === undefined ? undefined : this.#root.lstat(at);
    if (at === undefined || !stat) throw new FactError(`open ${path}: no such file or directory`);
    // A device or pipe must not even be opened.
    if (!stat.isFile())
      throw new FactError(`read ${path}: is a ${filetypeOf(stat)}, expected a regular file`);
    return this.#root.hostPath(at);
  }

  #packageFact(name: string, attribute: string): GoValue {
    if (!this.#packagesRead) {
      this.#packages = readPackages(this.#root);
      this.#packagesRead = true;
    }
    const versions = this.#packages && versionsOf(this.#packages, name);
    if (attribute === 'installed') return versions !== undefined;
    if (!versions) throw new FactError('Package version not found');
    return new Strings(versions);
  }

  /** Whether there is a service of this name, enabled or not. */
  hasService(name: string): boolean {
    if (name.includes('/')) return false;
    const unit = hasSystemd(this.#root) ? unitFile(this.#root, unitName(name)) : undefined;
    return unit !== undefined || this.#root.exists(`/etc/init.d/${name}`);
  }

  /** systemd has no runlevels. */
  #serviceFact(name: string, attribute: string): GoValue {
    if (hasSystemd(this.#root))
      return attribute === 'runlevels' ? new Strings([]) : (isEnabled(this.#root, name) ?? false);
    const levels = runlevelsOf(this.#root, name);
    return attribute === 'runlevels' ? new Strings(levels) : levels.length > 0;
  }

  #userFact(name: string, attribute: string): GoValue {
    const user = this.#users.find((u) => u.name === name);
    if (attribute === 'exists') return user !== undefined;
    if (!user) throw new FactError(`user: unknown user ${name}`);
    switch (attribute) {
      case 'uid':
        return BigInt(user.uid);
      case 'gid':
        return BigInt(user.gid);
      case 'home':
        return user.home;
      case 'shell':
        return user.shell;
      default:
        return new Strings(groupsOf(user, this.#groups));
    }
  }

  /** What fstab says for sure: that it is mounted, and as which type. */
  #mountFact(path: string, attribute: string): GoValue | undefined {
    if (path === '/' && attribute === 'exists') return true;
    const entry = readFstab(this.#root).find((e) => e.target === path);
    if (
      !entry ||
      entry.options.some((o) => o === 'noauto' || o === 'nofail' || o.startsWith('x-systemd.automount'))
    )
      return undefined;
    if (attribute === 'exists') return true;
    return attribute === 'filesystem' && entry.type !== 'auto' ? entry.type : undefined;
  }
}

function nameOf(name: string | undefined, database: string, id: number): string {
  if (name !== undefined) return name;
  throw new FactError(`Error: no matching entries in passwd file. getent ${database}: no entry for ${id}`);
}

function filetypeOf(stat: Stats): string {
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isCharacterDevice()) return 'character-device';
  if (stat.isBlockDevice()) return 'block-device';
  if (stat.isFIFO()) return 'pipe';
  if (stat.isSocket()) return 'socket';
  return stat.isDirectory() ? 'directory' : 'file';
}
