import { createHmac } from 'node:crypto';
import type { Surroundings } from '../provider.ts';
import { notConfigured, refusal } from '../refusal.ts';
import { below, serviceUrl } from '../service-url.ts';
import { azureToken } from './token.ts';

export interface Blob {
  readonly account: string;
  readonly container: string;
  readonly name: string;
}

const VERSION = '2021-08-06';

/**
 * A blob's content (Azure Blob Storage REST API, Get Blob), with the account's key (ARM_ACCESS_KEY, AZURE_STORAGE_KEY, or
 * that of AZURE_STORAGE_CONNECTION_STRING, which also says where) or an Entra ID token.
 */
export async function readBlob({ account, container, name }: Blob, around: Surroundings): Promise<Buffer> {
  const { env } = around;
  const connection = connectionOf(env.AZURE_STORAGE_CONNECTION_STRING);
  const endpoint = connection.get('BlobEndpoint') ?? `https://${account}.blob.core.windows.net`;
  const base = serviceUrl('tfstateazurerm', endpoint, 'BlobEndpoint of AZURE_STORAGE_CONNECTION_STRING');
  const url = below(base, '', `${container}/${name}`);
  const key = env.ARM_ACCESS_KEY || env.AZURE_STORAGE_KEY || connection.get('AccountKey');
  const dated = { 'x-ms-date': around.now().toUTCString(), 'x-ms-version': VERSION };
  if (key) around.hide(key);
  const authorization = key
    ? sharedKey({ account, key, url, headers: dated })
    : `Bearer ${await azureToken({ resource: 'https://storage.azure.com' }, around)}`;
  const answer = await around.fetch({ url, headers: { ...dated, authorization } });
  if (answer.status === 200) return answer.body;
  throw refusal(answer, 'Azure Blob Storage', `blob ${name} of the container ${container}`);
}

/** The header of a GET without a body (Azure Storage, "Authorize with Shared Key"). */
function sharedKey(request: {
  readonly account: string;
  readonly key: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}): string {
  const { account, key, url, headers } = request;
  const ours = Object.entries(headers)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value}\n`);
  // GET, then eleven standard headers that we do not send.
  const text = `GET${'\n'.repeat(12)}${ours.join('')}/${account}${url.pathname}`;
  const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64');
  return `SharedKey ${account}:${signature}`;
}

/** `Name=value;Name=value`; values may hold `=`. */
function connectionOf(text = ''): Map<string, string> {
  const pairs = text.split(';').filter((pair) => pair !== '');
  return new Map(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
      throw notConfigured(
        'Azure',
        'AZURE_STORAGE_CONNECTION_STRING has a part without =',
        'Copy it from the portal.',
      );
    }),
  );
}
