import type { Json } from '../../core/digest.ts';
import { fitParts, fitText } from './fit.ts';
import type { Part } from './part.ts';
import type { Provider } from './providers.ts';
import type { RenderedFile } from './render.ts';

/**
 * Everything as guestinfo variables, for `govc vm.change -e` or Terraform's `extra_config` (cloud-init docs, datasource
 * VMware): each value with its `.encoding`. The network is part of the metadata.
 */
export function guestinfo(
  parts: Readonly<Record<'user-data' | 'vendor-data', readonly Part[]>>,
  metadata: Readonly<Record<string, Json>>,
  provider: Provider,
): RenderedFile {
  const variables: Record<string, string> = {};
  let largest = 0;
  const set = (name: string, data: Buffer): void => {
    const isPacked = data[0] === 0x1f && data[1] === 0x8b;
    variables[`guestinfo.${name}`] = data.toString('base64');
    variables[`guestinfo.${name}.encoding`] = isPacked ? 'gzip+base64' : 'base64';
    largest = Math.max(largest, data.toString('base64').length);
  };
  set('metadata', fitText('meta-data', JSON.stringify(metadata), provider).data);
  for (const [kind, name] of [
    ['user-data', 'userdata'],
    ['vendor-data', 'vendordata'],
  ] as const) {
    if (parts[kind].length > 0) set(name, fitParts(kind, parts[kind], provider).data);
  }
  return {
    name: 'guestinfo.json',
    data: Buffer.from(`${JSON.stringify(variables, undefined, 2)}\n`),
    size: largest,
    limit: provider.limit as number,
    squeeze: 'as it is',
  };
}
