import { basename, join, relative, resolve } from 'node:path';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import type { Machine } from '../../core/machine.ts';

/** What is brought into the machine; paths on this machine are relative to the template. */
export interface StageOptions {
  /** Absolute, in the machine. */
  readonly directory: string;
  readonly playbooks: readonly string[];
  readonly playbookDir: string | undefined;
  /** Folders of this machine, by their place in the staging folder. */
  readonly folders: readonly (readonly [source: string, place: string])[];
  readonly galaxyFile: string | undefined;
  readonly inventory: { readonly file: string } | { readonly groups: readonly string[] };
}

/** Where things are in the machine. */
export interface Staged {
  readonly playbooks: readonly string[];
  readonly inventory: string;
  readonly galaxyFile: string | undefined;
}

/** Brings playbooks and all that belongs to them into the staging folder, in Packer's order and places. */
export async function stage(options: StageOptions, machine: Machine, ctx: Context): Promise<Staged> {
  const { directory } = options;
  const { communicator } = machine;
  const here = (path: string): string => resolve(ctx.templateDir, path);
  const bringFolder = async (source: string, destination: string): Promise<void> => {
    await makeFolder(machine, destination);
    await communicator.uploadDirectory(`${here(source)}/`, destination);
  };
  const bringFile = async (source: string): Promise<string> => {
    const destination = join(directory, basename(source));
    await communicator.upload(here(source), destination);
    return destination;
  };

  await makeFolder(machine, directory);
  if (options.playbookDir !== undefined) await bringFolder(options.playbookDir, directory);
  const playbooks: string[] = [];
  for (const playbook of options.playbooks) {
    const place = placeOf(here(playbook), options.playbookDir && here(options.playbookDir), ctx.templateDir);
    const destination = join(directory, place.path);
    if (!place.isThere) {
      await makeFolder(machine, join(destination, '..'));
      await communicator.upload(here(playbook), destination);
    }
    playbooks.push(destination);
  }
  for (const [source, place] of options.folders) await bringFolder(source, join(directory, place));
  const galaxyFile = options.galaxyFile === undefined ? undefined : await bringFile(options.galaxyFile);
  const inventory =
    'file' in options.inventory
      ? await bringFile(options.inventory.file)
      : join(directory, 'packer-provisioner-ansible-local');
  if ('groups' in options.inventory)
    await communicator.uploadBytes(localInventory(options.inventory.groups), inventory);
  return { playbooks, inventory, galaxyFile };
}

/** An inventory with the machine itself as its one host. */
export function localInventory(groups: readonly string[]): string {
  const host = '127.0.0.1\n';
  return groups.length === 0 ? host : groups.map((group) => `[${group}]\n${host}`).join('');
}

/** A playbook of `playbook_dir` is there by then; others keep their path below the template's folder. */
function placeOf(
  playbook: string,
  playbookDir: string | undefined,
  templateDir: string,
): { readonly path: string; readonly isThere: boolean } {
  if (playbookDir !== undefined && playbook.startsWith(`${playbookDir}/`))
    return { path: relative(playbookDir, playbook), isThere: true };
  const path = relative(resolve(templateDir), playbook);
  return { path: path.startsWith('..') ? basename(playbook) : path, isThere: false };
}

async function makeFolder(machine: Machine, path: string): Promise<void> {
  const { exitCode, stderr } = await machine.communicator.exec(['mkdir', '-p', '--', path]);
  if (exitCode === 0) return;
  throw new IngotError('provisioner/no-staging', `the folder ${path} cannot be made in the machine`, {
    hint: 'Give a staging_directory that the user of the machine may write to.',
    output: stderr.split('\n').filter(Boolean),
  });
}
