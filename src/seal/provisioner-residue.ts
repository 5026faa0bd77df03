import type { SealOperation } from '../core/plugin.ts';
import { homes, removeMatches } from './remove.ts';

export const provisionerResidue: SealOperation = {
  name: 'provisioner-residue',
  version: 1,
  doc: 'Removes what Ansible, Packer, Chef, Salt and Puppet leave: scripts, caches, and identities of their clients.',
  offline: async (root) =>
    removeMatches(root, [
      '/tmp/packer*',
      '/tmp/ingot-*',
      '/tmp/ansible*',
      '/var/tmp/ansible*',
      '/etc/ansible/facts.d/.cache',
      '/etc/chef/client.pem',
      '/etc/chef/validation.pem',
      '/var/chef',
      '/var/lib/chef',
      '/etc/salt/minion_id',
      '/etc/salt/pki',
      '/var/cache/salt',
      '/etc/puppet/ssl',
      '/etc/puppetlabs/puppet/ssl',
      '/var/lib/puppet/ssl',
      '/opt/puppetlabs/puppet/cache',
      ...homes(root).flatMap((home) => [
        `${home}/.ansible`,
        `${home}/.ansible_async`,
        `${home}/.chef`,
        `${home}/.puppetlabs`,
      ]),
    ]),
};
