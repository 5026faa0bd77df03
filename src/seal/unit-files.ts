import { posix } from 'node:path';
import type { Rootfs } from '../core/rootfs.ts';
import { type InstallSection, mergeInstall, readInstall } from './unit-install.ts';

export type UnitScope = 'system' | 'user';

/** A unit as systemctl sees it: what its own file and its drop-ins say of installation. */
export interface UnitFile {
  readonly name: string;
  readonly install: InstallSection;
}

const SUFFIX = /^[A-Za-z0-9:_.\\@-]+\.(service|socket|target|timer|path|mount|automount|swap|slice)$/;

/** Search path of the unit files that packages install and people write, first wins (systemd.unit(5)). */
function foldersOf(scope: UnitScope): string[] {
  return ['/etc', '/usr/local/lib', '/usr/lib', '/lib'].map((top) => `${top}/systemd/${scope}`);
}

/** Unit files of an image, read once and asked by name. */
export class UnitFiles {
  /** Where links enable units. */
  readonly etc: string;
  readonly #root: Rootfs;
  readonly #folders: readonly string[];
  readonly #read = new Map<string, UnitFile | undefined>();

  constructor(root: Rootfs, scope: UnitScope) {
    this.#root = root;
    this.#folders = foldersOf(scope);
    this.etc = `/etc/systemd/${scope}`;
  }

  /** Names of all unit files, instances that only links name included, sorted. */
  names(): string[] {
    const names = [...this.#folders.flatMap((folder) => this.#root.list(folder)), ...this.linked()];
    return [...new Set(names)].filter((name) => SUFFIX.test(name)).sort();
  }

  /** Names of units that links hold: as somebody's dependency, or by another name. */
  linked(): Set<string> {
    const held = ['wants', 'requires', 'upholds'].flatMap((kind) =>
      this.#root.glob(`${this.etc}/*.${kind}/*`).map((link) => posix.basename(link)),
    );
    const aliased = this.#root
      .list(this.etc)
      .map((name) => `${this.etc}/${name}`)
      .filter((path) => this.#root.lstat(path)?.isSymbolicLink())
      .map((path) => posix.basename(this.#root.readLink(path)));
    return new Set([...held, ...aliased]);
  }

  /** The unit of this name; undefined where there is none, where it is masked, or another unit's alias. */
  unit(name: string): UnitFile | undefined {
    if (!this.#read.has(name)) this.#read.set(name, this.#load(name));
    return this.#read.get(name);
  }

  #load(name: string): UnitFile | undefined {
    const template = templateOf(name);
    const path = this.#locate(name) ?? (template === undefined ? undefined : this.#locate(template));
    if (path === undefined) return undefined;
    const names = [name, ...(template === undefined ? [] : [template])];
    const texts = [path, ...this.#dropIns(names)].map((file) => this.#root.readText(file));
    return { name, install: mergeInstall(texts.map(readInstall)) };
  }

  /** The file that defines a unit. Masked ones are empty or lead to /dev/null; an alias leads to another name. */
  #locate(name: string): string | undefined {
    for (const folder of this.#folders) {
      const path = `${folder}/${name}`;
      const stat = this.#root.lstat(path);
      if (!stat) continue;
      if (stat.isFile()) return stat.size === 0 ? undefined : path;
      if (!stat.isSymbolicLink()) continue;
      const target = posix.resolve(folder, this.#root.readLink(path));
      return posix.basename(target) === name && this.#root.exists(path) ? path : undefined;
    }
    return undefined;
  }

  #dropIns(names: readonly string[]): string[] {
    const files = new Map<string, string>();
    for (const name of names) {
      for (const folder of this.#folders) {
        for (const file of this.#root.list(`${folder}/${name}.d`)) {
          const path = `${folder}/${name}.d/${file}`;
          if (file.endsWith('.conf') && !files.has(file) && this.#root.lstat(path)?.isFile())
            files.set(file, path);
        }
      }
    }
    return [...files.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
  }
}

/** `getty@.service` of `getty@tty1.service`; undefined for what is no instance. */
export function templateOf(name: string): string | undefined {
  const match = /^([^@]+@)([^@].*)(\.[a-z]+)$/.exec(name);
  return match ? `${match[1]}${match[3]}` : undefined;
}

/** `tty1` of `getty@tty1.service`. */
export function instanceOf(name: string): string | undefined {
  return /^[^@]+@(.+)\.[a-z]+$/.exec(name)?.[1];
}

/** `getty@tty1.service` of `getty@.service` and `tty1`. */
export function withInstance(template: string, instance: string): string {
  return template.replace('@.', () => `@${instance}.`);
}

export function isTemplate(name: string): boolean {
  return /^[^@]+@\.[a-z]+$/.test(name);
}
