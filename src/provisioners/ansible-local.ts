import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import { unlessExactlyOne } from '../core/exactly-one.ts';
import type { Provisioner } from '../core/plugin.ts';
import { groupsOf, playbooksOf } from './ansible-local/lists.ts';
import { Inputs } from './ansible/inputs.ts';
import { badNames } from './ansible/options.ts';

/** Packer's keys: developer.hashicorp.com/packer/integrations/hashicorp/ansible/latest/components/provisioner/ansible-local. */
const ansibleLocalSpec = bodySpec(
  {
    playbook_file: attr.string('The playbook, on this machine.'),
    playbook_files: attr.strings('Several playbooks, run in order.'),
    playbook_dir: attr.string('Folder that becomes the staging folder, before all else is put there.'),
    playbook_paths: attr.strings('Folders that are put into `playbooks` of the staging folder.', {
      default: [],
    }),
    role_paths: attr.strings('Folders of roles, put into `roles` of the staging folder.', { default: [] }),
    collection_paths: attr.strings('Folders that are put into `collections` of the staging folder.', {
      default: [],
    }),
    group_vars: attr.string('Folder of group variables.'),
    host_vars: attr.string('Folder of host variables.'),
    inventory_file: attr.string('An inventory of yours; say --limit where it has more than one host.'),
    inventory_groups: attr.strings('Groups that 127.0.0.1 is in, where there is no inventory_file.', {
      default: [],
    }),
    command: attr.string('The command that runs a playbook, as a shell reads it.', {
      default: 'PYTHONUNBUFFERED=1 ansible-playbook',
    }),
    extra_arguments: attr.strings('More arguments, as a shell reads them.', { default: [] }),
    staging_directory: attr.string('Folder in the machine for everything.'),
    clean_staging_directory: attr.bool('Removes that folder at the end.', { default: false }),
    galaxy_file: attr.string('Requirements that ansible-galaxy installs in the machine first.'),
    galaxy_command: attr.string('The command of Ansible Galaxy.', { default: 'ansible-galaxy' }),
    galaxy_force_install: attr.bool('Installs anew what is there.', { default: false }),
    galaxy_force_with_deps: attr.bool('Installs anew what is there, and what that needs.', {
      default: false,
    }),
    galaxy_roles_path: attr.string(
      'Folder in the machine for roles. Default: `roles` of the staging folder.',
    ),
    galaxy_collections_path: attr.string(
      'Folder in the machine for collections. Default: `collections` of the staging folder.',
    ),
    idempotence: attr.bool('Runs each playbook a second time, which must change nothing. (Ingot)', {
      default: false,
    }),
  },
  {},
  (o): OptionProblem[] => {
    const { playbook_file, playbook_files } = o;
    const message = unlessExactlyOne({ playbook_file, playbook_files });
    return [
      ...(message === undefined ? [] : [{ path: [], message }]),
      ...badNames('inventory_groups', groupsOf(o.inventory_groups)),
    ];
  },
);

export type AnsibleLocalOptions = OptionsOf<typeof ansibleLocalSpec>;

/** `provisioner "ansible-local"`: brings playbooks into the machine and runs them there. */
export const ansibleLocalProvisioner: Provisioner<AnsibleLocalOptions> = {
  type: 'ansible-local',
  version: 1,
  tellsBuild: true,
  schema: async () => ansibleLocalSpec,
  files: (o, templateDir) =>
    new Inputs(templateDir)
      .need(...playbooksOf(o), o.playbook_dir, o.galaxy_file, o.inventory_file, o.group_vars, o.host_vars)
      .need(...o.role_paths, ...o.playbook_paths, ...o.collection_paths)
      .list(),
  provision: async (machine, o, ctx) =>
    (await import('./ansible-local/provision.ts')).provision(machine, o, ctx),
};
