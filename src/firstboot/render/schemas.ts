import type { Rootfs } from '../../core/rootfs.ts';
import { IngotError } from '../../core/error.ts';
import { NETWORK_V1, NETWORK_V2 } from './network-schema.ts';
import { type Schema, SchemaCheck } from './schema.ts';

/** What one version of cloud-init takes. */
export interface CloudInitSchemas {
  /** `22.4.2` */
  readonly version: string;
  readonly cloudConfig: SchemaCheck;
  /** By the `version` of the document. */
  network(version: 1 | 2): SchemaCheck;
}

const PYTHON = '/usr/lib/python3/dist-packages/cloudinit';
const SCHEMAS = `${PYTHON}/config/schemas`;
const MAX = 4 << 20;

/** The schemas of the cloud-init that is installed in an image. Throws `render/no-cloud-init`. */
export function schemasOf(root: Rootfs, image: string): CloudInitSchemas {
  const read = (name: string): Schema | undefined => {
    const path = `${SCHEMAS}/${name}`;
    return root.exists(path) ? (JSON.parse(root.readText(path, MAX)) as Schema) : undefined;
  };
  const cloudConfig = read('schema-cloud-config-v1.json');
  if (!cloudConfig)
    throw new IngotError('render/no-cloud-init', `${image} has no ${SCHEMAS}/schema-cloud-config-v1.json`, {
      hint: 'Install cloud-init 22.2 or later into the image, or leave --image out to check against --cloud-init.',
    });
  const source = root.exists(`${PYTHON}/version.py`) ? root.readText(`${PYTHON}/version.py`, MAX) : '';
  const [, version] = /^__VERSION__\s*=\s*["']([^"']+)/m.exec(source) ?? [];
  return schemasFrom(version ?? 'of the image', cloudConfig, {
    1: read('schema-network-config-v1.json'),
    2: read('schema-network-config-v2.json'),
  });
}

/** Schemas as they are compiled when asked for; ours stand for those of network-config that cloud-init lacks. */
export function schemasFrom(
  version: string,
  cloudConfig: Schema,
  network: Readonly<Record<1 | 2, Schema | undefined>> = { 1: undefined, 2: undefined },
): CloudInitSchemas {
  let compiled: SchemaCheck | undefined;
  return {
    version,
    get cloudConfig() {
      compiled ??= new SchemaCheck(cloudConfig);
      return compiled;
    },
    network: (v) => new SchemaCheck(network[v] ?? (v === 1 ? NETWORK_V1 : NETWORK_V2)),
  };
}
