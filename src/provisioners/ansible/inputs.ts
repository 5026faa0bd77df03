import { readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';

/**
 * What Ansible looks for beside a playbook (docs.ansible.com, "Sample directory layout", and the folders of local
 * plugins).
 */
const BESIDE = [
  'action_plugins',
  'callback_plugins',
  'collections',
  'defaults',
  'files',
  'filter_plugins',
  'group_vars',
  'handlers',
  'host_vars',
  'library',
  'lookup_plugins',
  'meta',
  'module_utils',
  'playbooks',
  'roles',
  'tasks',
  'templates',
  'test_plugins',
  'vars',
  'vars_plugins',
];

/** What belongs to an inventory and lies beside it. */
export const BESIDE_INVENTORY = ['group_vars', 'host_vars'];

/** The files that a playbook is made of, relative to the template. */
export class Inputs {
  readonly #templateDir: string;
  readonly #paths = new Set<string>();

  constructor(templateDir: string) {
    this.#templateDir = templateDir;
  }

  /** What must be there; planning says so where it is not. */
  need(...paths: (string | undefined)[]): this {
    for (const path of paths) if (path !== undefined) this.#paths.add(path);
    return this;
  }

  /** What may be there. */
  may(...paths: (string | undefined)[]): this {
    for (const path of paths) if (path !== undefined && this.#stat(path)) this.#paths.add(path);
    return this;
  }

  /**
   * A playbook and what belongs to it. Everything in its folder, where that is a folder of playbooks alone; where the
   * template lies in it too, so would the outputs of builds: then the playbooks and the folders that Ansible knows.
   */
  playbook(path: string): this {
    const folder = dirname(path);
    const names = this.#names(folder);
    const shared = isBelow(resolve(this.#templateDir), resolve(this.#templateDir, folder));
    const wanted = names.filter((name) =>
      shared
        ? BESIDE.includes(name) || /\.ya?ml$/.test(name)
        : !name.startsWith('.') && !name.endsWith('.retry'),
    );
    return this.need(path, ...wanted.map((name) => join(folder, name)));
  }

  /** Files of variables, given as `-e @file`, `-e@file` or `--extra-vars=@file`. */
  extraArguments(args: readonly string[]): this {
    const files = args.flatMap((arg) => /^(?:-e|--extra-vars=)?@(.+)$/.exec(arg)?.[1] ?? []);
    return this.may(...files);
  }

  /** In order, without what lies in a folder that is in the list itself. */
  list(): readonly string[] {
    const all = [...this.#paths].map((path) => ({ path, real: resolve(this.#templateDir, path) }));
    return all
      .filter(({ real }, i) =>
        all.every((other, j) => i === j || (other.real === real ? i < j : !isBelow(real, other.real))),
      )
      .map(({ path }) => path)
      .sort();
  }

  #stat(path: string) {
    return statSync(resolve(this.#templateDir, path), { throwIfNoEntry: false });
  }

  #names(folder: string): string[] {
    return this.#stat(folder)?.isDirectory() ? readdirSync(resolve(this.#templateDir, folder)).sort() : [];
  }
}

/**
 * Which of the files that Ansible read are part of no digest: neither among `inputs`, nor Ansible's own or installed
 * for it. Relative to the template.
 */
export function unhashed(
  loaded: readonly string[],
  inputs: readonly string[],
  known: readonly string[],
  templateDir: string,
): readonly string[] {
  const covered = [
    ...inputs.map((path) => resolve(templateDir, path)),
    ...known,
    join(homedir(), '.ansible'),
    '/etc/ansible',
    '/usr',
  ];
  return loaded
    .filter((path) => isAbsolute(path) && !covered.some((folder) => isBelow(path, folder)))
    .map((path) => relative(templateDir, path))
    .sort();
}

/** Whether `path` is `folder` or lies in it. */
function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}
