import { inHomes, matches } from './find.ts';
import { operation } from './operation.ts';

const PATTERNS = [
  '/tmp/packer*',
  '/tmp/ingot*',
  '/tmp/ansible*',
  '/tmp/script_*.sh',
  '/var/tmp/ansible*',
  '/etc/ansible/facts.d/.cache',
  '/etc/chef/client.pem',
  '/etc/chef/validation.pem',
  '/etc/chef/first-boot.json',
  '/etc/cinc/client.pem',
  '/etc/cinc/validation.pem',
  '/var/chef',
  '/var/lib/chef',
  '/var/cache/chef',
  '/etc/salt/minion_id',
  '/etc/salt/pki',
  '/var/cache/salt',
  '/etc/puppet/ssl',
  '/etc/puppetlabs/puppet/ssl',
  '/var/lib/puppet/ssl',
  '/opt/puppetlabs/puppet/cache',
  '/var/lib/ingot',
];

const IN_HOMES = ['.ansible', '.ansible_async', '.chef', '.cinc', '.puppetlabs', '.vault_pass*'];

export const provisionerResidue = operation(
  'provisioner-residue',
  2,
  'Removes what Packer, Ansible, Chef, Salt, Puppet and Ingot leave: scripts, caches, and identities of their clients.',
  (root) => [...matches(root, PATTERNS), ...matches(root, inHomes(root, IN_HOMES))],
);
