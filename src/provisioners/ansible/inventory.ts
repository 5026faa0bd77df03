import { symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BESIDE_INVENTORY } from './inputs.ts';
import { fillString } from '../../template/index.ts';

export interface InventoryOptions {
  readonly hostAlias: string;
  readonly groups: readonly string[];
  readonly emptyGroups: readonly string[];
  /** `inventory_file_template` */
  readonly template: string | undefined;
  /** `inventory_directory`, absolute: its variables belong to this inventory. */
  readonly directory: string | undefined;
  /** What a template may ask for, besides HostAlias: Host, User, Port, and what the machine generated. */
  readonly values: Readonly<Record<string, string>>;
}

const HOST = '{{ .HostAlias }} ansible_host={{ .Host }} ansible_user={{ .User }} ansible_connection=ingot\n';

/** An inventory with the machine as its one host, in Packer's form. */
export function inventoryText(options: InventoryOptions): string {
  const values = { ...options.values, HostAlias: options.hostAlias };
  const filled = fillString(options.template ?? HOST, values, 'inventory_file_template');
  const host = filled.endsWith('\n') ? filled : `${filled}\n`;
  return [
    host,
    ...options.groups.map((group) => `[${group}]\n${host}`),
    ...options.emptyGroups.map((group) => `[${group}]\n`),
  ].join('');
}

/**
 * Writes the inventory into `folder`, with the variables of `inventory_directory` beside it by links: nothing is
 * written into the user's folders, where it would look like an edit. Answers its path.
 */
export async function writeInventory(folder: string, options: InventoryOptions): Promise<string> {
  const path = join(folder, 'inventory');
  await writeFile(path, inventoryText(options));
  if (options.directory !== undefined) {
    for (const name of BESIDE_INVENTORY) {
      const target = resolve(options.directory, name);
      if (existsSync(target)) await symlink(target, join(folder, name));
    }
  }
  return path;
}
