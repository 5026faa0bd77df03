import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Descriptor } from '../../../src/core/descriptor.ts';
import { parseChallenges } from '../../../src/store/registry/challenge.ts';
import type { Credentials } from '../../../src/store/registry/credentials.ts';
import { openRegistry, type RegistryRepository } from '../../../src/store/registry/registry.ts';

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((done) => server?.close(done) ?? done(undefined));
  server = undefined;
});

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

async function serve(handler: Handler, credentials?: Credentials): Promise<RegistryRepository> {
  let count = 0;
  const own = createServer((request, response) => handler(request, response, ++count));
  server = own;
  await new Promise<void>((done) => own.listen(0, '127.0.0.1', done));
  const host = `127.0.0.1:${(own.address() as AddressInfo).port}`;
  return openRegistry({ host, repository: 'team/web', credentials: async () => credentials, insecure: true });
}

const content = randomBytes(200_000);
const descriptor: Descriptor = {
  mediaType: 'application/octet-stream',
  digest: `sha256:${createHash('sha256').update(content).digest('hex')}`,
  size: content.length,
};
const read = async (store: RegistryRepository): Promise<Buffer> =>
  Buffer.from(await new Response(await store.fetch(descriptor)).arrayBuffer());

describe('a faulty registry', () => {
  test('a broken download goes on where it stopped', async () => {
    const ranges: (string | undefined)[] = [];
    const store = await serve((request, response, count) => {
      ranges.push(request.headers.range);
      const from = Number(/bytes=(\d+)/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response.writeHead(from > 0 ? 206 : 200, { 'content-length': content.length - from });
      if (count < 3)
        response.write(content.subarray(from, from + 70_000), () => setTimeout(() => response.destroy(), 50));
      else response.end(content.subarray(from));
    });
    expect((await read(store)).equals(content)).toBe(true);
    expect(ranges[0]).toBeUndefined();
    expect(ranges).toHaveLength(3);
    expect(ranges[2]).toMatch(/^bytes=[1-9]\d*-199999$/);
  });

  test('a server without ranges gives the whole again, of which the rest is taken', async () => {
    const store = await serve((_request, response, count) => {
      response.writeHead(200, { 'content-length': content.length });
      if (count === 1)
        response.write(content.subarray(0, 70_000), () => setTimeout(() => response.destroy(), 50));
      else response.end(content);
    });
    expect((await read(store)).equals(content)).toBe(true);
  });

  test.each<[string, Handler, string]>([
    ['other bytes', (_q, r) => r.end(Buffer.alloc(content.length)), 'store/digest-mismatch'],
    ['too many bytes', (_q, r) => r.end(Buffer.concat([content, content])), 'store/digest-mismatch'],
    ['not there', (_q, r) => r.writeHead(404).end(), 'store/not-found'],
    ['no right to it', (_q, r) => r.writeHead(403).end(), 'store/unauthorized'],
    [
      'a login of a kind unknown',
      (_q, r) => r.writeHead(401, { 'www-authenticate': 'Kerberos' }).end(),
      'store/unauthorized',
    ],
    [
      'what it does not do',
      (_q, r) => r.writeHead(405).end('{"errors":[{"message":"no"}]}'),
      'store/refused',
    ],
  ])('%s is told', async (_what, handler, code) => {
    await expect(read(await serve(handler))).rejects.toMatchObject({ code });
  });

  test('too busy, it is asked again when it says', async () => {
    const store = await serve((_request, response, count) => {
      if (count === 1) response.writeHead(429, { 'retry-after': '0.1' }).end();
      else if (count === 2) response.writeHead(503).end();
      else response.end(content);
    });
    expect((await read(store)).equals(content)).toBe(true);
  });

  test('a manifest of other bytes than its digest is refused', async () => {
    const store = await serve((_request, response) =>
      response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }).end('{}'),
    );
    await expect(store.resolve(descriptor.digest)).rejects.toMatchObject({ code: 'store/digest-mismatch' });
  });
});

describe('a token service', () => {
  const withToken =
    (seen: string[]): Handler =>
    (request, response) => {
      const { host } = request.headers;
      if (request.url?.startsWith('/token')) {
        seen.push(`${request.url} ${request.headers.authorization ?? '-'}`);
        response.end('{"token":"T"}');
      } else if (request.headers.authorization === 'Bearer T') response.end(content);
      else {
        const realm = `Bearer realm="http://${host}/token",service="r",scope="repository:team/web:pull"`;
        response.writeHead(401, { 'www-authenticate': realm }).end();
      }
    };

  test.each<[string, Credentials | undefined, string]>([
    ['anonymously', undefined, '-'],
    ['by password', { username: 'me', password: 'x:y' }, `Basic ${Buffer.from('me:x:y').toString('base64')}`],
  ])('is asked %s', async (_what, credentials, authorization) => {
    const seen: string[] = [];
    const store = await serve(withToken(seen), credentials);
    expect((await read(store)).equals(content)).toBe(true);
    expect(seen).toEqual([`/token?service=r&scope=repository%3Ateam%2Fweb%3Apull ${authorization}`]);
  });
});

test.each<[string, unknown]>([
  [
    'Bearer realm="https://a/b",scope="x,y"',
    [{ scheme: 'bearer', parameters: { realm: 'https://a/b', scope: 'x,y' } }],
  ],
  [
    'Basic realm="a \\"b\\"", Bearer realm=c',
    [
      { scheme: 'basic', parameters: { realm: 'a "b"' } },
      { scheme: 'bearer', parameters: { realm: 'c' } },
    ],
  ],
  ['', []],
  ['"', []],
  ['Basic __proto__=x', [{ scheme: 'basic', parameters: JSON.parse('{"__proto__":"x"}') as unknown }]],
])('challenge %s', (header, expected) => {
  expect(JSON.stringify(parseChallenges(header))).toBe(JSON.stringify(expected));
});
