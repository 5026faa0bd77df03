import type { Json } from '../../core/digest.ts';
import {
  type Block,
  blocksOf,
  isVirtualbox,
  moveInto,
  type Predicate,
  remove,
  rename,
  replaceText,
  type Template,
  typeIs,
} from './edit.ts';

/** One old way of writing something, and what it is today; the names are Packer's. */
export interface Fixer {
  readonly name: string;
  readonly doc: string;
  fix(template: Template): void;
}

const builders =
  (which: Predicate, edit: (block: Block) => void) =>
  (template: Template): void => {
    for (const block of blocksOf(template, 'builders')) if (which(block)) edit(block);
  };
const others =
  (kind: 'provisioners' | 'post-processors', which: Predicate, edit: (block: Block) => void) =>
  (template: Template): void => {
    for (const block of blocksOf(template, kind)) if (which(block)) edit(block);
  };
const any: Predicate = () => true;
const amazon: Predicate = ({ type }) => typeof type === 'string' && type.startsWith('amazon');
const isQemu = typeIs('qemu');

/** Renames a builder's type, also in `override`, `only` and `except`, which name builders. */
function renameType(from: string, to: string): (template: Template) => void {
  return (template) => {
    for (const block of blocksOf(template, 'builders')) if (block.type === from) block.type = to;
    for (const block of [...blocksOf(template, 'provisioners'), ...blocksOf(template, 'post-processors')]) {
      const { override } = block;
      if (typeof override === 'object' && override !== null && !Array.isArray(override))
        rename(override as Block, from, to);
      for (const list of ['only', 'except']) {
        const names = block[list];
        if (Array.isArray(names)) block[list] = names.map((name: Json) => (name === from ? to : name));
      }
    }
  };
}

/** All fixers, in the order in which they run. */
export const fixers: readonly Fixer[] = [
  {
    name: 'iso-md5',
    doc: 'iso_md5 is iso_checksum with its type',
    fix: builders(any, (b) => {
      if (typeof b.iso_md5 === 'string') b.iso_checksum = `md5:${b.iso_md5}`;
      delete b.iso_md5;
    }),
  },
  {
    name: 'createtime',
    doc: '{{.CreateTime}} in builders is {{timestamp}}',
    fix: builders(any, (b) => replaceText(b, /\{\{\s*\.CreateTime\s*\}\}/g, '{{timestamp}}')),
  },
  {
    name: 'virtualbox-gaattach',
    doc: 'guest_additions_attach is guest_additions_mode',
    fix: builders(isVirtualbox, (b) => {
      if (b.guest_additions_attach === true) b.guest_additions_mode = 'attach';
      delete b.guest_additions_attach;
    }),
  },
  {
    name: 'pp-vagrant-override',
    doc: 'settings for one provider belong into override',
    fix: others('post-processors', typeIs('vagrant'), (b) =>
      moveInto(b, 'override', ['aws', 'digitalocean', 'virtualbox', 'vmware']),
    ),
  },
  {
    name: 'virtualbox-rename',
    doc: 'the builder virtualbox is virtualbox-iso',
    fix: renameType('virtualbox', 'virtualbox-iso'),
  },
  {
    name: 'vmware-rename',
    doc: 'the builder vmware is vmware-iso',
    fix: renameType('vmware', 'vmware-iso'),
  },
  {
    name: 'parallels-headless',
    doc: 'headless means nothing for parallels',
    fix: builders(typeIs('parallels-iso', 'parallels-pvm'), (b) => remove(b, 'headless')),
  },
  {
    name: 'parallels-deprecations',
    doc: 'parallels_tools_host_path is gone, guest_os_distribution is guest_os_type',
    fix: builders(typeIs('parallels-iso', 'parallels-pvm'), (b) => {
      remove(b, 'parallels_tools_host_path');
      rename(b, 'guest_os_distribution', 'guest_os_type');
    }),
  },
  {
    name: 'sshkeypath',
    doc: 'ssh_key_path is ssh_private_key_file',
    fix: builders(any, (b) => rename(b, 'ssh_key_path', 'ssh_private_key_file')),
  },
  {
    name: 'sshdisableagent',
    doc: 'ssh_disable_agent is ssh_disable_agent_forwarding',
    fix: builders(any, (b) => rename(b, 'ssh_disable_agent', 'ssh_disable_agent_forwarding')),
  },
  {
    name: 'scaleway-access-key',
    doc: 'access_key is organization_id',
    fix: builders(typeIs('scaleway'), (b) => rename(b, 'access_key', 'organization_id')),
  },
  {
    name: 'manifest-filename',
    doc: 'filename is output',
    fix: others('post-processors', typeIs('manifest'), (b) => rename(b, 'filename', 'output')),
  },
  {
    name: 'amazon-shutdown_behavior',
    doc: 'shutdown_behaviour is shutdown_behavior',
    fix: builders(amazon, (b) => rename(b, 'shutdown_behaviour', 'shutdown_behavior')),
  },
  {
    name: 'amazon-enhanced-networking',
    doc: 'enhanced_networking is ena_support',
    fix: builders(amazon, (b) => rename(b, 'enhanced_networking', 'ena_support')),
  },
  {
    name: 'amazon-private-ip',
    doc: 'ssh_private_ip is ssh_interface',
    fix: builders(amazon, (b) => {
      if (b.ssh_private_ip === true || b.ssh_private_ip === 'true') b.ssh_interface = 'private_ip';
      else if (b.ssh_private_ip === false || b.ssh_private_ip === 'false') b.ssh_interface = 'public_ip';
      delete b.ssh_private_ip;
    }),
  },
  {
    name: 'amazon-temp-sec-cidrs',
    doc: 'temporary_security_group_source_cidr is a list, …_cidrs',
    fix: builders(amazon, (b) => {
      const old = b.temporary_security_group_source_cidr;
      if (typeof old === 'string') b.temporary_security_group_source_cidrs = [old];
      delete b.temporary_security_group_source_cidr;
    }),
  },
  {
    name: 'docker-email',
    doc: 'login_email is gone',
    fix: (template) => {
      for (const b of [...blocksOf(template, 'builders'), ...blocksOf(template, 'post-processors')])
        remove(b, 'login_email');
    },
  },
  {
    name: 'docker-tag-tags',
    doc: 'tag is a list, tags',
    fix: others('post-processors', typeIs('docker-tag'), (b) => {
      if (b.tag === undefined) return;
      const before = Array.isArray(b.tags) ? (b.tags as Json[]) : [];
      b.tags = [
        ...before,
        ...[b.tag].flat().flatMap((tag) => (typeof tag === 'string' ? tag.split(',') : [tag as Json])),
      ];
      delete b.tag;
    }),
  },
  {
    name: 'powershell-escapes',
    doc: "PowerShell's escapes in variables and passwords are added by the provisioner itself",
    fix: others('provisioners', typeIs('powershell'), (b) => {
      for (const key of ['environment_vars', 'elevated_user', 'elevated_password']) {
        const part = { [key]: b[key] ?? null } as Block;
        replaceText(part, /`([$"`'])/g, '$1');
        if (b[key] !== undefined) b[key] = part[key] as Json;
      }
    }),
  },
  {
    name: 'vmware-compaction',
    doc: 'disks that cannot be compacted say skip_compaction',
    fix: builders(typeIs('vmware-iso'), (b) => {
      if (b.disk_type_id !== 'zeroedthick' && b.disk_type_id !== 'eagerzeroedthick') return;
      if (b.remote_type === 'esx5') b.skip_compaction = true;
    }),
  },
  {
    name: 'hyperv-deprecations',
    doc: 'vhd_temp_path is gone',
    fix: builders(typeIs('hyperv-iso'), (b) => remove(b, 'vhd_temp_path')),
  },
  {
    name: 'hyperv-vmxc-typo',
    doc: 'clone_from_vmxc_path is clone_from_vmcx_path',
    fix: builders(typeIs('hyperv-vmcx'), (b) => rename(b, 'clone_from_vmxc_path', 'clone_from_vmcx_path')),
  },
  {
    name: 'hyperv-cpu-and-ram',
    doc: 'cpu is cpus, ram_size is memory',
    fix: builders(typeIs('hyperv-iso', 'hyperv-vmcx'), (b) => {
      rename(b, 'cpu', 'cpus');
      rename(b, 'ram_size', 'memory');
    }),
  },
  {
    name: 'clean-image-name',
    doc: 'clean_image_name and clean_ami_name are clean_resource_name',
    fix: builders(any, (b) => replaceText(b, /\bclean_(?:image|ami)_name\b/g, 'clean_resource_name')),
  },
  {
    name: 'spot-price-auto-product',
    doc: 'spot_price_auto_product is gone',
    fix: builders(amazon, (b) => remove(b, 'spot_price_auto_product')),
  },
  {
    name: 'qemu-disk-size',
    doc: 'disk_size has its unit',
    fix: builders(isQemu, (b) => {
      if (typeof b.disk_size === 'number') b.disk_size = `${b.disk_size}M`;
    }),
  },
  {
    name: 'galaxy-command',
    doc: 'galaxycommand is galaxy_command',
    fix: others('provisioners', typeIs('ansible-local'), (b) => rename(b, 'galaxycommand', 'galaxy_command')),
  },
  {
    name: 'comm-config',
    doc: 'settings of forwarded ports have no ssh_ in front',
    fix: builders(isVirtualbox, (b) => {
      rename(b, 'ssh_host_port_min', 'host_port_min');
      rename(b, 'ssh_host_port_max', 'host_port_max');
      rename(b, 'ssh_skip_nat_mapping', 'skip_nat_mapping');
    }),
  },
  {
    name: 'ssh-wait-timeout',
    doc: 'ssh_wait_timeout is ssh_timeout',
    fix: builders(any, (b) => rename(b, 'ssh_wait_timeout', 'ssh_timeout')),
  },
  {
    name: 'vsphere-iso-net-disk',
    doc: 'network and disk settings are in network_adapters and storage',
    fix: builders(typeIs('vsphere-iso'), (b) => {
      moveInto(b, 'network_adapters', ['network', 'network_card'], true);
      moveInto(b, 'storage', ['disk_size', 'disk_thin_provisioned', 'disk_eagerly_scrub'], true);
    }),
  },
  {
    name: 'iso-checksum-type-and-url',
    doc: 'iso_checksum has its type in front; iso_checksum_url is a checksum file:…',
    fix: builders(any, (b) => {
      const { iso_checksum_type: type, iso_checksum_url: url, iso_checksum: sum } = b;
      if (typeof url === 'string' && url !== '') b.iso_checksum = `file:${url}`;
      else if (type === 'none') b.iso_checksum = 'none';
      else if (typeof type === 'string' && typeof sum === 'string') b.iso_checksum = `${type}:${sum}`;
      remove(b, 'iso_checksum_type');
      remove(b, 'iso_checksum_url');
    }),
  },
  {
    name: 'qemu-host-port',
    doc: 'ssh_host_port_min and …_max are host_port_min and …_max',
    fix: builders(isQemu, (b) => {
      rename(b, 'ssh_host_port_min', 'host_port_min');
      rename(b, 'ssh_host_port_max', 'host_port_max');
    }),
  },
  {
    name: 'azure-exclude_from_latest',
    doc: 'exlude_from_latest is exclude_from_latest',
    fix: builders(typeIs('azure-arm', 'azure-chroot'), (b) => {
      rename(b, 'exlude_from_latest', 'exclude_from_latest');
      for (const nested of Object.values(b))
        if (typeof nested === 'object' && nested !== null && !Array.isArray(nested))
          rename(nested as Block, 'exlude_from_latest', 'exclude_from_latest');
    }),
  },
  {
    name: 'proxmox-type',
    doc: 'the builder proxmox is proxmox-iso',
    fix: renameType('proxmox', 'proxmox-iso'),
  },
];

/** The template with all old forms written anew. */
export function fixLegacy(template: Readonly<Record<string, Json>>): Record<string, Json> {
  const copy = structuredClone(template) as Record<string, Json>;
  for (const fixer of fixers) fixer.fix(copy as Template);
  return copy;
}
