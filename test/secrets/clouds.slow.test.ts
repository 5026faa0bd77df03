import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expandText } from '../../src/secrets/expand.ts';
import { createResolver } from '../../src/secrets/resolver.ts';
import { freePort } from '../../scripts/free-port.mjs';
import { azurite, goTool, type Server, startServer } from './real-tools.ts';

const STATE = JSON.stringify({
  version: 4,
  outputs: { host: { value: 'db1', type: 'string' } },
  resources: [],
});

async function resolve(text: string, env: Readonly<Record<string, string>>): Promise<unknown> {
  const resolver = createResolver({ env, patience: { attempts: 2 } });
  return await expandText(text, { lookup: (reference) => resolver.lookup(reference) });
}

const gcs = goTool('fake-gcs-server');
describe.skipIf(gcs.missing)(
  `Cloud Storage against fake-gcs-server${gcs.missing ? ` (skipped: ${gcs.missing})` : ''}`,
  () => {
    let server: Server;
    let folder: string;
    let env: Record<string, string>;

    beforeAll(async () => {
      const port = await freePort();
      folder = mkdtempSync(join(tmpdir(), 'ingot-gcs-'));
      const address = `http://127.0.0.1:${port}`;
      env = { HOME: folder, STORAGE_EMULATOR_HOST: address };
      const args = [
        '-backend',
        'memory',
        '-scheme',
        'http',
        '-host',
        '127.0.0.1',
        '-port',
        String(port),
        '-data',
        folder,
      ];
      server = await startServer(gcs.path, args, async () => (await fetch(`${address}/storage/v1/b`)).ok);
      await post(
        `${address}/storage/v1/b?project=p`,
        JSON.stringify({ name: 'bucket', versioning: { enabled: true } }),
      );
      for (const [name, text] of [
        ['a b/ü.yaml', 'x: {y: first}'],
        ['a b/ü.yaml', 'x: {y: object}'],
        ['tf/default.tfstate', STATE],
      ])
        await post(
          `${address}/upload/storage/v1/b/bucket/o?uploadType=media&name=${encodeURIComponent(name as string)}`,
          text as string,
        );
    }, 60_000);
    afterAll(async () => {
      await server?.[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    });

    async function post(url: string, body: string): Promise<void> {
      const answer = await fetch(url, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
      if (!answer.ok) throw new Error(await answer.text());
    }

    test('objects, generations, states', async () => {
      expect(await resolve('ref+gcs://bucket/a%20b/ü.yaml#/x/y', env)).toBe('object');
      expect(await resolve('ref+gcs://bucket/a%20b/ü.yaml', env)).toBe('x: {y: object}');
      const list = (await (
        await fetch(`${env.STORAGE_EMULATOR_HOST}/storage/v1/b/bucket/o?versions=true`)
      ).json()) as {
        items: { name: string; generation: string }[];
      };
      const [first] = list.items
        .filter((o) => o.name === 'a b/ü.yaml')
        .map((o) => o.generation)
        .sort();
      expect(await resolve(`ref+gcs://bucket/a%20b/ü.yaml?generation=${first}#/x/y`, env)).toBe('first');
      expect(await resolve('ref+tfstategs://bucket/tf/default.tfstate/output.host', env)).toBe('db1');
      const backend = { type: 'gcs', config: { bucket: 'bucket', prefix: 'tf' } };
      writeFileSync(join(folder, 'pointer.tfstate'), JSON.stringify({ version: 3, backend }));
      expect(await resolve(`ref+tfstate://${folder}/pointer.tfstate/output.host`, env)).toBe('db1');
      await expect(resolve('ref+gcs://bucket/none', env)).rejects.toMatchObject({
        code: 'secrets/not-found',
      });
    });
  },
);

const azure = azurite();
describe.skipIf(azure.missing)(
  `Azure Blob Storage against Azurite${azure.missing ? ` (skipped: ${azure.missing})` : ''}`,
  () => {
    let server: Server;
    let folder: string;
    let env: Record<string, string>;
    const account = 'ingotstate';
    const key = Buffer.from('a key of the test').toString('base64');

    beforeAll(async () => {
      const port = await freePort();
      folder = mkdtempSync(join(tmpdir(), 'ingot-azurite-'));
      const endpoint = `http://127.0.0.1:${port}/${account}`;
      const args = [
        '--blobHost',
        '127.0.0.1',
        '--blobPort',
        String(port),
        '--location',
        folder,
        '--silent',
        '--skipApiVersionCheck',
        '--disableTelemetry',
      ];
      server = await startServer(azure.path, args, async () => (await fetch(endpoint)).status > 0, {
        AZURITE_ACCOUNTS: `${account}:${key}`,
      });
      const connection = `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};BlobEndpoint=${endpoint};`;
      env = { HOME: folder, AZURE_STORAGE_CONNECTION_STRING: connection };
      await put(`${endpoint}/states?restype=container`, '', {});
      await put(`${endpoint}/states/a%20b/prod.tfstate`, STATE, { 'x-ms-blob-type': 'BlockBlob' });
    }, 60_000);
    afterAll(async () => {
      await server?.[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    });

    /** A PUT under the account's key (Azure Storage, "Authorize with Shared Key"). */
    async function put(address: string, body: string, extra: Record<string, string>): Promise<void> {
      const url = new URL(address);
      const headers: Record<string, string> = {
        'x-ms-date': new Date().toUTCString(),
        'x-ms-version': '2021-08-06',
        ...extra,
      };
      const named = Object.keys(headers)
        .sort()
        .map((name) => `${name}:${headers[name]}\n`)
        .join('');
      const query = [...url.searchParams].map(([name, value]) => `\n${name}:${value}`).join('');
      const length = body === '' ? '' : String(Buffer.byteLength(body));
      const type = 'text/plain';
      const text = `PUT\n\n\n${length}\n\n${type}\n\n\n\n\n\n\n${named}/${account}${url.pathname}${query}`;
      const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64');
      const answer = await fetch(url, {
        method: 'PUT',
        body: body === '' ? null : body,
        headers: { ...headers, 'content-type': type, authorization: `SharedKey ${account}:${signature}` },
      });
      if (!answer.ok) throw new Error(await answer.text());
    }

    test('states', async () => {
      const reference = `ref+tfstateazurerm://group/${account}/states/a%20b/prod.tfstate/output.host`;
      expect(await resolve(reference, env)).toBe('db1');
      await expect(resolve(reference.replace('prod', 'none'), env)).rejects.toMatchObject({
        code: 'secrets/not-found',
      });
      await expect(resolve(reference, { ...env, ARM_ACCESS_KEY: 'd3Jvbmc=' })).rejects.toMatchObject({
        code: 'secrets/denied',
      });
    });
  },
);
