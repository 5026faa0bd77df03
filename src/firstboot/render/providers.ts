/** What can be said to an instance at its launch. */
export type DataKind = 'user-data' | 'vendor-data' | 'meta-data' | 'network-config';

export const DATA_KINDS: readonly DataKind[] = ['user-data', 'vendor-data', 'meta-data', 'network-config'];

/** What a provider takes from whoever launches an instance, and how much of it. */
export interface Provider {
  readonly name: string;
  /** The rest it tells the instance itself. */
  readonly takes: readonly DataKind[];
  /** Most bytes of one value, as `counts` counts them. */
  readonly limit?: number;
  /** `bytes`: of the data itself, whatever the API wraps around it; `base64`: after that encoding. */
  readonly counts: 'bytes' | 'base64';
  /** `text`: the API takes texts only, so that compressed data must be encoded. */
  readonly sends: 'bytes' | 'text';
  /** Where the limit stands. */
  readonly source: string;
}

/** By name. Compressed user-data is understood by cloud-init on each of them. */
export const PROVIDERS: ReadonlyMap<string, Provider> = new Map(
  (
    [
      {
        name: 'nocloud',
        takes: DATA_KINDS,
        counts: 'bytes',
        sends: 'bytes',
        source: 'cloud-init docs, NoCloud',
      },
      {
        name: 'aws',
        takes: ['user-data'],
        limit: 16_384,
        counts: 'bytes',
        sends: 'bytes',
        source: 'Amazon EC2 user guide, "Instance user data": 16 KB in raw form, before base64',
      },
      {
        name: 'azure',
        takes: ['user-data'],
        limit: 65_535,
        counts: 'bytes',
        sends: 'bytes',
        source: 'Azure REST API, OSProfile.customData: 65535 bytes of the decoded array',
      },
      {
        name: 'gcp',
        takes: ['user-data'],
        limit: 262_144,
        counts: 'bytes',
        sends: 'text',
        source: 'Compute Engine docs, "Metadata limitations": 256 KB a value, 512 KB in all',
      },
      {
        name: 'openstack',
        takes: ['user-data'],
        limit: 65_535,
        counts: 'base64',
        sends: 'bytes',
        source: 'Compute API, "Create server", user_data: 65535 bytes, base64',
      },
      {
        name: 'hetzner',
        takes: ['user-data'],
        limit: 32_768,
        counts: 'bytes',
        sends: 'text',
        source: 'Hetzner Cloud API, "Create a server", user_data: 32 KiB',
      },
      {
        name: 'vsphere',
        takes: DATA_KINDS,
        limit: 65_536,
        counts: 'base64',
        sends: 'bytes',
        source: 'guestinfo variables of a virtual machine: 64 KiB a value',
      },
    ] satisfies Provider[]
  ).map((provider) => [provider.name, provider]),
);
