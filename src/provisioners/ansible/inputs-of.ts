import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { AnsibleOptions } from '../ansible.ts';
import { BESIDE_INVENTORY, Inputs } from './inputs.ts';

/** What the options make Ansible read on this machine. */
export function inputsOf(o: AnsibleOptions, templateDir: string): readonly string[] {
  const beside = (folder: string | undefined): string[] =>
    folder === undefined ? [] : BESIDE_INVENTORY.map((name) => join(folder, name));
  return (
    new Inputs(templateDir)
      .playbook(o.playbook_file)
      .need(o.galaxy_file, o.inventory_file, ...o.inputs)
      // Of a folder that is there, its variables count; one that is not is told of.
      .need(isThere(o.inventory_directory, templateDir) ? undefined : o.inventory_directory)
      .may('ansible.cfg', o.roles_path, o.collections_path, ...beside(o.inventory_directory))
      .may(...(o.inventory_file === undefined ? [] : beside(join(o.inventory_file, '..'))))
      .extraArguments(o.extra_arguments)
      .list()
  );
}

function isThere(path: string | undefined, templateDir: string): boolean {
  return path === undefined || existsSync(resolve(templateDir, path));
}
