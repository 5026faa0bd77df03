import type { Schema } from './schema.ts';

/**
 * JSON schemas of network-config, for cloud-init before 24.1, which has none. Written from its documentation,
 * "Networking config Version 1" and "Version 2".
 */
const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const texts = { type: 'array', items: text } as const;
const oneOrMore = { anyOf: [text, texts] } as const;
const mtu = { type: 'integer', minimum: 68, maximum: 65_535 } as const;
const mac = { type: 'string', pattern: '^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2})+$' } as const;
const address = { type: 'string', format: 'address' } as const;
const addressOrCidr = { type: 'string', format: 'address-or-cidr' } as const;
const cidr = { type: 'string', format: 'cidr' } as const;

const closed = (properties: object, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

const subnetTypes =
  'dhcp dhcp4 dhcp6 static static6 manual ipv6_dhcpv6-stateful ipv6_dhcpv6-stateless ipv6_slaac'.split(' ');

const subnet = closed(
  {
    type: { enum: subnetTypes },
    control: { enum: ['auto', 'manual', 'hotplug'] },
    address: addressOrCidr,
    netmask: address,
    broadcast: address,
    gateway: address,
    dns_nameservers: oneOrMore,
    dns_search: oneOrMore,
    metric: { type: 'integer' },
    ipv4: flag,
    ipv6: flag,
    routes: {
      type: 'array',
      items: closed(
        {
          network: addressOrCidr,
          destination: addressOrCidr,
          netmask: { anyOf: [address, { type: 'integer' }] },
          gateway: address,
          metric: { type: 'integer' },
        },
        ['gateway'],
      ),
    },
  },
  ['type'],
);

const common = {
  name: text,
  mac_address: mac,
  mtu,
  accept_ra: flag,
  keep_configuration: flag,
  subnets: { type: 'array', items: subnet },
};

const kinds: Readonly<Record<string, Schema>> = {
  physical: closed({ ...common, type: text, wakeonlan: flag }, ['type', 'name']),
  loopback: closed({ ...common, type: text }, ['type', 'name']),
  infiniband: closed({ ...common, type: text }, ['type', 'name']),
  bond: closed({ ...common, type: text, bond_interfaces: texts, params: { type: 'object' } }, [
    'type',
    'name',
    'bond_interfaces',
  ]),
  bridge: closed({ ...common, type: text, bridge_interfaces: texts, params: { type: 'object' } }, [
    'type',
    'name',
    'bridge_interfaces',
  ]),
  vlan: closed({ ...common, type: text, vlan_link: text, vlan_id: { type: 'integer' } }, [
    'type',
    'name',
    'vlan_link',
    'vlan_id',
  ]),
  nameserver: closed({ type: text, address: oneOrMore, search: oneOrMore, interface: text }, [
    'type',
    'address',
  ]),
  route: closed(
    {
      type: text,
      destination: addressOrCidr,
      netmask: address,
      gateway: address,
      metric: { type: 'integer' },
    },
    ['type', 'destination', 'gateway'],
  ),
};

export const NETWORK_V1: Schema = closed(
  {
    version: { const: 1 },
    config: {
      type: 'array',
      items: {
        type: 'object',
        required: ['type'],
        properties: { type: { enum: Object.keys(kinds) } },
        allOf: Object.entries(kinds).map(([type, schema]) => ({
          if: { required: ['type'], properties: { type: { const: type } } },
          // eslint-disable-next-line unicorn/no-thenable
          then: schema,
        })),
      },
    },
  },
  ['version', 'config'],
);

const dhcpOverrides = closed({
  hostname: text,
  'route-metric': { type: 'integer' },
  'send-hostname': flag,
  'use-dns': flag,
  'use-domains': { anyOf: [flag, text] },
  'use-hostname': flag,
  'use-mtu': flag,
  'use-ntp': flag,
  'use-routes': flag,
});

const device = {
  renderer: text,
  dhcp4: flag,
  dhcp6: flag,
  'dhcp4-overrides': dhcpOverrides,
  'dhcp6-overrides': dhcpOverrides,
  addresses: { type: 'array', items: cidr },
  gateway4: address,
  gateway6: address,
  mtu,
  'accept-ra': flag,
  optional: flag,
  macaddress: mac,
  nameservers: closed({ search: texts, addresses: { type: 'array', items: address } }),
  routes: {
    type: 'array',
    items: closed(
      {
        to: { anyOf: [addressOrCidr, { const: 'default' }] },
        via: address,
        metric: { type: 'integer' },
        'on-link': flag,
        mtu,
        table: { type: 'integer' },
        type: text,
        scope: text,
      },
      ['to'],
    ),
  },
};

const devices = (own: object, required: readonly string[] = []): Schema => ({
  type: 'object',
  additionalProperties: closed({ ...device, ...own }, required),
});

const match = { ...closed({ name: text, macaddress: mac, driver: oneOrMore }), minProperties: 1 };

export const NETWORK_V2: Schema = closed(
  {
    version: { const: 2 },
    renderer: text,
    ethernets: devices({ match, 'set-name': text, wakeonlan: flag }),
    bonds: devices({ interfaces: texts, parameters: { type: 'object' } }, ['interfaces']),
    bridges: devices({ interfaces: texts, parameters: { type: 'object' } }),
    vlans: devices({ id: { type: 'integer', minimum: 0, maximum: 4094 }, link: text }, ['id', 'link']),
  },
  ['version'],
);
