/** A plugin of Packer's world, and the component types that it brings. */
export interface OfficialPlugin {
  /** As `required_plugins` writes it. */
  readonly source: string;
  readonly builders?: readonly string[];
  readonly provisioners?: readonly string[];
  readonly postProcessors?: readonly string[];
  readonly dataSources?: readonly string[];
}

export type ComponentKind = 'builders' | 'provisioners' | 'postProcessors' | 'dataSources';

const hashicorp = (name: string, components: Omit<OfficialPlugin, 'source'>): OfficialPlugin => ({
  source: `github.com/hashicorp/${name}`,
  ...components,
});

/**
 * Plugins of developer.hashicorp.com/packer/integrations by name, for templates whose component types we don't have:
 * they are checked around what only those plugins understand.
 */
export const officialPlugins: Readonly<Record<string, OfficialPlugin>> = {
  alicloud: hashicorp('alicloud', { builders: ['alicloud-ecs'], postProcessors: ['alicloud-import'] }),
  amazon: hashicorp('amazon', {
    builders: ['amazon-chroot', 'amazon-ebs', 'amazon-ebssurrogate', 'amazon-ebsvolume', 'amazon-instance'],
    postProcessors: ['amazon-import'],
    dataSources: ['amazon-ami', 'amazon-parameterstore', 'amazon-secretsmanager'],
  }),
  ansible: hashicorp('ansible', { provisioners: ['ansible', 'ansible-local'] }),
  azure: hashicorp('azure', {
    builders: ['azure-arm', 'azure-chroot', 'azure-dtl'],
    provisioners: ['azure-dtlartifact'],
  }),
  chef: hashicorp('chef', { provisioners: ['chef-client', 'chef-solo'] }),
  cloudstack: hashicorp('cloudstack', { builders: ['cloudstack'] }),
  converge: hashicorp('converge', { provisioners: ['converge'] }),
  digitalocean: {
    source: 'github.com/digitalocean/digitalocean',
    builders: ['digitalocean'],
    postProcessors: ['digitalocean-import'],
    dataSources: ['digitalocean-image'],
  },
  docker: hashicorp('docker', {
    builders: ['docker'],
    postProcessors: ['docker-import', 'docker-push', 'docker-save', 'docker-tag'],
  }),
  exoscale: {
    source: 'github.com/exoscale/exoscale',
    builders: ['exoscale'],
    postProcessors: ['exoscale-import'],
  },
  git: {
    source: 'github.com/ethanmdavidson/git',
    dataSources: ['git-commit', 'git-repository', 'git-tree'],
  },
  googlecompute: hashicorp('googlecompute', {
    builders: ['googlecompute'],
    postProcessors: ['googlecompute-export', 'googlecompute-import'],
    dataSources: ['googlecompute-image', 'googlecompute-secretsmanager'],
  }),
  hcloud: { source: 'github.com/hetznercloud/hcloud', builders: ['hcloud'] },
  huaweicloud: { source: 'github.com/huaweicloud/huaweicloud', builders: ['huaweicloud-ecs'] },
  hyperone: hashicorp('hyperone', { builders: ['hyperone'] }),
  hyperv: hashicorp('hyperv', { builders: ['hyperv-iso', 'hyperv-vmcx'] }),
  ibmcloud: { source: 'github.com/IBM/ibmcloud', builders: ['ibmcloud-classic', 'ibmcloud-vpc'] },
  inspec: hashicorp('inspec', { provisioners: ['inspec'] }),
  jdcloud: hashicorp('jdcloud', { builders: ['jdcloud'] }),
  linode: { source: 'github.com/linode/linode', builders: ['linode'], dataSources: ['linode-image'] },
  lxc: hashicorp('lxc', { builders: ['lxc'] }),
  lxd: hashicorp('lxd', { builders: ['lxd'] }),
  ncloud: hashicorp('ncloud', { builders: ['ncloud'] }),
  nutanix: { source: 'github.com/nutanix-cloud-native/nutanix', builders: ['nutanix'] },
  oneandone: hashicorp('oneandone', { builders: ['oneandone'] }),
  openstack: hashicorp('openstack', { builders: ['openstack'] }),
  oracle: hashicorp('oracle', { builders: ['oracle-classic', 'oracle-oci'] }),
  osc: {
    source: 'github.com/outscale/outscale',
    builders: ['osc-bsu', 'osc-bsusurrogate', 'osc-bsuvolume', 'osc-chroot'],
  },
  parallels: {
    source: 'github.com/Parallels/parallels',
    builders: ['parallels-ipsw', 'parallels-iso', 'parallels-macvm', 'parallels-pvm'],
  },
  profitbricks: hashicorp('profitbricks', { builders: ['profitbricks'] }),
  proxmox: hashicorp('proxmox', { builders: ['proxmox', 'proxmox-clone', 'proxmox-iso'] }),
  puppet: hashicorp('puppet', { provisioners: ['puppet-masterless', 'puppet-server'] }),
  qemu: hashicorp('qemu', { builders: ['qemu'] }),
  salt: hashicorp('salt', { provisioners: ['salt-masterless'] }),
  scaleway: { source: 'github.com/scaleway/scaleway', builders: ['scaleway'] },
  sshkey: { source: 'github.com/ivoronin/sshkey', dataSources: ['sshkey'] },
  tart: { source: 'github.com/cirruslabs/tart', builders: ['tart-cli'] },
  tencentcloud: hashicorp('tencentcloud', { builders: ['tencentcloud-cvm'] }),
  triton: hashicorp('triton', { builders: ['triton'] }),
  ucloud: hashicorp('ucloud', { builders: ['ucloud-uhost'] }),
  upcloud: {
    source: 'github.com/UpCloudLtd/upcloud',
    builders: ['upcloud'],
    postProcessors: ['upcloud-import'],
  },
  vagrant: hashicorp('vagrant', {
    builders: ['vagrant'],
    postProcessors: ['vagrant', 'vagrant-cloud', 'vagrant-registry'],
  }),
  virtualbox: hashicorp('virtualbox', { builders: ['virtualbox-iso', 'virtualbox-ovf', 'virtualbox-vm'] }),
  vmware: hashicorp('vmware', { builders: ['vmware-iso', 'vmware-vmx'] }),
  vsphere: hashicorp('vsphere', {
    builders: ['vsphere-clone', 'vsphere-iso', 'vsphere-supervisor'],
    postProcessors: ['vsphere', 'vsphere-template'],
    dataSources: ['vsphere-virtualmachine'],
  }),
  vultr: { source: 'github.com/vultr/vultr', builders: ['vultr'] },
  'windows-update': { source: 'github.com/rgl/windows-update', provisioners: ['windows-update'] },
  yandex: hashicorp('yandex', {
    builders: ['yandex'],
    postProcessors: ['yandex-export', 'yandex-import'],
  }),
};

/** Component types that Packer itself has. */
const CORE: Omit<OfficialPlugin, 'source'> = {
  builders: ['file', 'null'],
  provisioners: [
    'breakpoint',
    'file',
    'hcp-sbom',
    'powershell',
    'shell',
    'shell-local',
    'sleep',
    'windows-restart',
    'windows-shell',
  ],
  postProcessors: ['artifice', 'checksum', 'compress', 'manifest', 'shell-local'],
  dataSources: [
    'hcp-packer-artifact',
    'hcp-packer-image',
    'hcp-packer-iteration',
    'hcp-packer-version',
    'http',
    'null',
  ],
};

/** Plugins that legacy templates could use without declaring them, by the beginning of their types (hcl2_upgrade's list). */
const BUNDLED = [
  'amazon',
  'ansible',
  'azure',
  'docker',
  'googlecompute',
  'qemu',
  'vagrant',
  'virtualbox',
  'vmware',
  'vsphere',
];

/** The source of the plugin for a type of a legacy template; null: Packer's own type; undefined: not known. */
export function bundledSource(type: string): string | null | undefined {
  const name = BUNDLED.find((prefix) => type.startsWith(prefix));
  if (name !== undefined) return `github.com/hashicorp/${name}`;
  return Object.values(CORE).some((types) => types.includes(type)) ? null : undefined;
}

/** Whether Packer has a component of this type, by itself or by a plugin. */
export function isOfficial(kind: ComponentKind, type: string): boolean {
  return [CORE, ...Object.values(officialPlugins)].some((plugin) => plugin[kind]?.includes(type));
}
