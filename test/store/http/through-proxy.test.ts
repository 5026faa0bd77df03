import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { httpData } from '../../../src/data-sources/http.ts';
import { download as downloadDatabase } from '../../../src/scan/vulnerabilities/download.ts';
import { createResolver } from '../../../src/secrets/resolver.ts';
import { createFetch } from '../../../src/secrets/http.ts';
import { parseReference } from '../../../src/secrets/reference.ts';
import { fetchBytes } from '../../../src/sources/mmdebstrap/fetch.ts';
import { startArchiveProxy } from '../../../src/sources/mmdebstrap/proxy.ts';
import { fetchSmall } from '../../../src/sources/qemu/download.ts';
import { fetch } from '../../../src/store/http/fetch.ts';
import { openRegistry } from '../../../src/store/registry/registry.ts';
import { output } from '../../secrets/real-tools.ts';
import { ConnectProxy } from './connect-proxy.ts';

const { signal } = new AbortController();
const dir = mkdtempSync(join(tmpdir(), 'ingot-proxy-'));
let seen: IncomingMessage[] = [];
let servers: Server[];
let ports: { http: number; https: number };
let proxy: ConnectProxy;
let ca: string;

function answer(asking: IncomingMessage, response: ServerResponse): void {
  seen.push(asking);
  const to = /^\/to\/(.*)/.exec(asking.url ?? '')?.[1];
  if (to !== undefined) response.writeHead(302, { location: decodeURIComponent(to) }).end();
  else if (asking.method === 'PUT') asking.pipe(response);
  else response.end(`${asking.headers.host}${asking.url}`);
}

beforeAll(async () => {
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', '/CN=a.test', '-addext', 'subjectAltName=DNS:a.test'];
  output('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', cert, ...subject], { quiet: true });
  ca = readFileSync(cert, 'utf8');
  servers = [createServer(answer), createTlsServer({ key: readFileSync(key), cert: ca }, answer)];
  for (const server of servers) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const [http = 0, https = 0] = servers.map((server) => (server.address() as AddressInfo).port);
  ports = { http, https };
});
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  rmSync(dir, { recursive: true });
});
beforeEach(async () => {
  proxy = await ConnectProxy.start(ports);
  seen = [];
  use(`http://127.0.0.1:${proxy.port}`);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await proxy.stop();
});

function use(address: string, exceptions = ''): void {
  for (const name of ['http_proxy', 'https_proxy', 'no_proxy'])
    vi.stubEnv(name.toUpperCase(), undefined).stubEnv(name, name === 'no_proxy' ? exceptions : address);
}

/** undici asks for no certificate of a test: what it trusts is settled when Node starts. */
const trustAnyone = () => vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');

describe('fetch()', () => {
  test('in the clear asks the proxy for the whole address', async () => {
    const response = await fetch('http://a.test/x?y=1', { headers: { 'x-own': '1' } });
    expect(await response.text()).toBe('a.test/x?y=1');
    expect(proxy.asked).toEqual(['GET http://a.test/x?y=1']);
    expect(seen[0]?.headers).toMatchObject({ 'x-own': '1', host: 'a.test' });
  });

  test('with TLS goes through a tunnel, and the server is told nothing of the proxy', async () => {
    trustAnyone();
    proxy.rules = { login: 'me:p@ss' };
    use(`http://me:p%40ss@127.0.0.1:${proxy.port}`);
    expect(await (await fetch('https://a.test/x')).text()).toBe('a.test/x');
    expect(proxy.asked).toEqual(['CONNECT a.test:443']);
    expect(seen[0]?.headers).not.toHaveProperty('proxy-authorization');
  });

  test('still checks whose certificate it is', async () => {
    const failure = await fetch('https://a.test/x').catch((error: Error) => error);
    expect(failure).toMatchObject({ cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } });
    expect(seen).toEqual([]);
  });

  test('chooses anew at each redirect', async () => {
    trustAnyone();
    const last = `http://127.0.0.1:${ports.http}/end`;
    const second = `https://a.test/to/${encodeURIComponent(last)}`;
    const response = await fetch(`http://a.test/to/${encodeURIComponent(second)}`);
    expect(await response.text()).toBe(`127.0.0.1:${ports.http}/end`);
    expect(proxy.asked).toEqual([expect.stringMatching(/^GET /), 'CONNECT a.test:443']);
  });

  test('leaves out what no_proxy names', async () => {
    use(`http://127.0.0.1:${proxy.port}`, 'a.test');
    await expect(fetch('http://a.test/')).rejects.toThrow();
    expect(proxy.asked).toEqual([]);
  });

  test('sends what is uploaded piece by piece', async () => {
    trustAnyone();
    for (const url of ['http://a.test/', 'https://a.test/']) {
      const body = new Blob(['x'.repeat(100_000)]).stream();
      const response = await fetch(url, { method: 'PUT', body, duplex: 'half' });
      expect((await response.text()).length).toBe(100_000);
    }
  });

  describe.each(['http://a.test/', 'https://a.test/'])('%s', (url) => {
    test.each([
      ['a wrong login', { login: 'me:other' }, 407, /USER:PASSWORD@/],
      ['a server that is not allowed', { login: 'me:secret', refusal: 407 }, 407, /./],
    ])('with %s ends with the proxy as the one who refused', async (_, rules, status, hint) => {
      proxy.rules = rules;
      use(`http://me:secret@127.0.0.1:${proxy.port}`);
      await expect(fetch(url)).rejects.toMatchObject({
        code: 'store/proxy-refused',
        message: expect.stringMatching(`^the proxy http://127.0.0.1:${proxy.port} answered ${status}`),
        hint: expect.stringMatching(hint),
      });
    });

    test('names the proxy that is not there', async () => {
      await proxy.stop();
      const failure = (await fetch(url).catch((error: Error) => error)) as Error;
      expect(failure.cause).toMatchObject({
        code: 'ECONNREFUSED',
        message: expect.stringMatching(/^the proxy http:\/\/127\.0\.0\.1:\d+ could not be asked: connect/),
      });
    });

    test('is refused where the variable names no proxy', async () => {
      use('socks5://127.0.0.1:1');
      await expect(fetch(url)).rejects.toMatchObject({ code: 'store/bad-proxy' });
    });
  });

  test('a tunnel that is not allowed is refused; one that fails for now may be tried again', async () => {
    proxy.rules = { refusal: 403 };
    await expect(fetch('https://a.test/')).rejects.toMatchObject({
      code: 'store/proxy-refused',
      hint: expect.stringMatching(/no_proxy/),
    });
    proxy.rules = { refusal: 502 };
    await expect(fetch('https://a.test/')).rejects.toMatchObject({ cause: { code: 'EHOSTUNREACH' } });
  });
});

describe('the client of references', () => {
  const client = (env: Record<string, string>) => createFetch({ env, attempts: 1 });
  const address = () => `http://me:secret@127.0.0.1:${proxy.port}`;

  test('goes through one tunnel as long as it lasts, with its own trust', async () => {
    proxy.rules = { login: 'me:secret' };
    const ask = client({ HTTPS_PROXY: address() });
    for (const path of ['/1', '/2']) {
      const { body } = await ask({ url: new URL(path, 'https://a.test'), tls: { ca } });
      expect(body.toString()).toBe(`a.test${path}`);
    }
    expect(proxy.asked).toEqual(['CONNECT a.test:443']);
    await expect(ask({ url: new URL('https://a.test') })).rejects.toThrow(/self-signed/);
    await expect(ask({ url: new URL('https://b.test'), tls: { ca } })).rejects.toThrow(/b\.test/);
  });

  test('asks the proxy for what is in the clear', async () => {
    proxy.rules = { login: 'me:secret' };
    const { body } = await client({ http_proxy: address() })({ url: new URL('http://a.test:81/x?y') });
    expect(body.toString()).toBe('a.test:81/x?y');
    expect(proxy.asked).toEqual(['GET http://a.test:81/x?y']);
  });

  test.each(['http://a.test', 'https://a.test'])('%s with a wrong login', async (url) => {
    proxy.rules = { login: 'me:other' };
    const ask = client({ http_proxy: address(), https_proxy: address() });
    await expect(ask({ url: new URL(url) })).rejects.toMatchObject({
      code: 'store/proxy-refused',
      message: expect.not.stringMatching(/secret/),
    });
  });
});

test.each<[string, () => Promise<unknown>]>([
  [
    'a data source',
    () => httpData.read({ url: 'http://a.test/', method: 'GET' } as never, { signal } as never),
  ],
  ["apt's archives", () => fetchBytes('http://a.test/', 1000, signal)],
  ['an ISO', () => fetchSmall('http://a.test/', { signal } as never)],
  [
    'a database of vulnerabilities',
    () =>
      downloadDatabase(
        'http://a.test/',
        dir,
        { signal, clock: { now: () => new Date() } } as never,
        () => {},
      ),
  ],
  [
    'a registry',
    () =>
      openRegistry({
        host: 'a.test',
        repository: 'x',
        credentials: async () => undefined,
        insecure: true,
      }).resolve('v1'),
  ],
  [
    'a reference',
    () => createResolver({ env: process.env }).lookup(parseReference('httpjson://a.test/x?insecure=true#/y')),
  ],
])('%s is asked by way of the proxy', async (_, ask) => {
  await ask().catch(() => undefined);
  expect(proxy.asked[0]).toMatch(/^GET http:\/\/a\.test\//);
});

test('what apt fetches past the locked archives goes on by way of the proxy', async () => {
  const locked = { locate: async () => ({ kind: 'foreign' }) } as never;
  await using apt = await startArchiveProxy(locked, { emit: () => {}, step: 's', signal });
  const ask = (options: object) =>
    new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port: apt.port, agent: false, ...options })
        .once('response', (response) => resolve(text(response)))
        .once('connect', (response, socket) => {
          socket.destroy();
          resolve(response.statusCode);
        })
        .once('error', reject)
        .end();
    });
  expect(await ask({ path: 'http://b.test/p.deb' })).toBe('b.test/p.deb');
  expect(await ask({ method: 'CONNECT', path: 'c.test:443' })).toBe(200);
  proxy.rules = { refusal: 403 };
  expect(await ask({ method: 'CONNECT', path: '[2001:db8::1]:443' })).toBe(502);
  expect(proxy.asked).toEqual(['GET http://b.test/p.deb', 'CONNECT c.test:443', 'CONNECT [2001:db8::1]:443']);
});
