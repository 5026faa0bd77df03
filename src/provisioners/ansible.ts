import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import type { Provisioner } from '../core/plugin.ts';
import { readAssignments } from '../core/shell-words.ts';
import { inputsOf } from './ansible/inputs-of.ts';
import { badNames, noPassThrough } from './ansible/options.ts';

/** Packer's keys: developer.hashicorp.com/packer/integrations/hashicorp/ansible/latest/components/provisioner/ansible. */
const ansibleSpec = bodySpec(
  {
    playbook_file: attr.string('The playbook, on this machine.', { required: true }),
    command: attr.string('The command that runs it: a program, not a shell line.', {
      default: 'ansible-playbook',
    }),
    extra_arguments: attr.strings('More arguments of the command, each passed as it is.', { default: [] }),
    ansible_env_vars: attr.strings('`NAME=value` variables of the command.', { default: [] }),
    groups: attr.strings("Groups that the machine is in, in Ansible's inventory.", { default: [] }),
    empty_groups: attr.strings('Groups that are there, with no host in them.', { default: [] }),
    host_alias: attr.string("The machine's name in the inventory; without effect on an inventory_file.", {
      default: 'default',
    }),
    user: attr.string("`ansible_user`: whom to act as in the machine. Default: the machine's own user."),
    inventory_file: attr.string('An inventory of yours. Where it has more hosts than one, say --limit.'),
    inventory_file_template: attr.string(
      "The inventory's line of the machine: {{ .HostAlias }}, {{ .Host }}, {{ .User }}, {{ .Port }}.",
      { goTemplate: true },
    ),
    inventory_directory: attr.string('Folder whose group_vars and host_vars belong to the inventory.'),
    keep_inventory_file: attr.bool('Leaves the inventory that was made, and says where.', {
      default: false,
      unhashed: true,
    }),
    galaxy_file: attr.string('Requirements that ansible-galaxy installs on this machine first.'),
    galaxy_command: attr.string('The command of Ansible Galaxy.', { default: 'ansible-galaxy' }),
    galaxy_force_install: attr.bool('Installs anew what is there.', { default: false }),
    galaxy_force_with_deps: attr.bool('Installs anew what is there, and what that needs.', {
      default: false,
    }),
    roles_path: attr.string('Folder on this machine that roles are installed into.'),
    collections_path: attr.string('Folder on this machine that collections are installed into.'),
    skip_version_check: attr.bool('Does not ask for the version of Ansible first.', {
      default: false,
      unhashed: true,
    }),
    use_proxy: attr.bool('Has no effect: Ansible always reaches the machine through Ingot.', {
      unhashed: true,
    }),
    local_port: attr.number('Has no effect: there is no SSH proxy.', { unhashed: true }),
    ssh_host_key_file: attr.string('Has no effect: there is no SSH proxy.', { unhashed: true }),
    ssh_authorized_key_file: attr.string('Has no effect: there is no SSH proxy.', { unhashed: true }),
    ansible_proxy_key_type: attr.string('Has no effect: there is no SSH proxy.', { unhashed: true }),
    ansible_ssh_extra_args: attr.strings('Has no effect: there is no SSH proxy.', { unhashed: true }),
    sftp_command: attr.string('Has no effect: there is no SSH proxy.', { unhashed: true }),
    use_sftp: attr.bool('Has no effect: there is no SSH proxy.', { unhashed: true }),
    ansible_winrm_use_http: attr.bool('Refused: there is no WinRM yet.', { unhashed: true }),
    idempotence: attr.bool('Runs the playbook a second time, which must change nothing. (Ingot)', {
      default: false,
    }),
    inputs: attr.strings('More files and folders that the playbook reads, for the digest. (Ingot)', {
      default: [],
    }),
  },
  {},
  (o): OptionProblem[] => {
    const { bad } = readAssignments(o.ansible_env_vars, {});
    return [
      ...badNames('groups', o.groups),
      ...badNames('empty_groups', o.empty_groups),
      ...badNames('host_alias', [o.host_alias]),
      ...noPassThrough(o, [
        'local_port',
        'ssh_host_key_file',
        'ssh_authorized_key_file',
        'ansible_proxy_key_type',
        'ansible_ssh_extra_args',
        'sftp_command',
        'use_sftp',
      ]),
      ...(bad === undefined
        ? []
        : [{ path: ['ansible_env_vars'], message: `${JSON.stringify(bad)} is no NAME=value` }]),
      ...(o.ansible_winrm_use_http
        ? [{ path: ['ansible_winrm_use_http'], message: 'Windows machines need WinRM, which Ingot lacks' }]
        : []),
    ];
  },
);

export type AnsibleOptions = OptionsOf<typeof ansibleSpec>;

/** `provisioner "ansible"`: ansible-playbook on this machine, acting in the machine of the build (SECURITY.md). */
export const ansibleProvisioner: Provisioner<AnsibleOptions> = {
  type: 'ansible',
  version: 1,
  tellsBuild: true,
  schema: async () => ansibleSpec,
  files: inputsOf,
  provision: async (machine, o, ctx) => (await import('./ansible/provision.ts')).provision(machine, o, ctx),
};
