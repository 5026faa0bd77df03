import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server as HttpServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { freePort } from '../../../scripts/free-port.mjs';
import { createFetch } from '../../../src/secrets/http.ts';
import { fetchBytes } from '../../../src/sources/mmdebstrap/fetch.ts';
import { fetch } from '../../../src/store/http/fetch.ts';
import { output, type Server, startServer } from '../../secrets/real-tools.ts';

/** Loopback is asked by no proxy, so that the servers are at the machine's own address. */
const address = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv4' && !one.internal && !one.address.startsWith('169.254.'))?.address;
const reason =
  spawnSync('sh', ['-c', 'command -v tinyproxy']).status !== 0
    ? ' (skipped: tinyproxy of the package tinyproxy-bin is not installed)'
    : address === undefined
      ? ' (skipped: this machine has no address but loopback)'
      : '';

describe.skipIf(reason)(`tinyproxy${reason}`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'ingot-tinyproxy-'));
  const log = join(dir, 'log');
  const servers: HttpServer[] = [];
  const seen: IncomingMessage['headers'][] = [];
  let proxy: Server | undefined;
  let port: number;
  let [http, https] = ['', ''];
  let ca: string;

  beforeAll(async () => {
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
    const subject = ['-subj', '/CN=test', '-addext', `subjectAltName=IP:${address}`];
    const files = ['-keyout', key, '-out', cert];
    output('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, ...subject], {
      quiet: true,
    });
    ca = readFileSync(cert, 'utf8');
    const answer = (asking: IncomingMessage, response: { end(text: string): void }): void => {
      seen.push(asking.headers);
      response.end('x'.repeat(1_000_000));
    };
    servers.push(createServer(answer), createTlsServer({ key: readFileSync(key), cert: ca }, answer));
    for (const server of servers) await new Promise<void>((resolve) => server.listen(0, address, resolve));
    const [plain, secure] = servers.map((server) => (server.address() as AddressInfo).port);
    [http, https] = [`http://${address}:${plain}/x`, `https://${address}:${secure}/x`];
    port = await freePort();
    const config = [
      `Port ${port}`,
      'Listen 127.0.0.1',
      'Timeout 60',
      `LogFile "${log}"`,
      'LogLevel Connect',
      'BasicAuth me word',
      `ConnectPort ${secure}`,
    ];
    writeFileSync(join(dir, 'conf'), `${config.join('\n')}\n`);
    proxy = await startServer('tinyproxy', ['-d', '-c', join(dir, 'conf')], () => isAnswering(port));
    vi.stubEnv('http_proxy', `http://me:word@127.0.0.1:${port}`);
    vi.stubEnv('https_proxy', `http://me:word@127.0.0.1:${port}`);
    vi.stubEnv('no_proxy', '');
    // What Node trusts is settled when it starts.
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await proxy?.[Symbol.asyncDispose]();
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    rmSync(dir, { recursive: true });
  });

  const { signal } = new AbortController();
  const asked = (): string[] =>
    [...readFileSync(log, 'utf8').matchAll(/Request \(file descriptor \d+\): (\S+ \S+)/g)].map(
      (m) => m[1] as string,
    );

  test('passes on what is in the clear', async () => {
    expect((await fetchBytes(http, 2_000_000, signal)).length).toBe(1_000_000);
    expect(seen.at(-1)).toMatchObject({ via: expect.stringContaining('tinyproxy') });
    expect(seen.at(-1)).not.toHaveProperty('proxy-authorization');
    expect(asked().at(-1)).toBe(`GET ${http}`);
  });

  test('makes tunnels', async () => {
    expect((await (await fetch(https)).text()).length).toBe(1_000_000);
    expect(seen.at(-1)).not.toHaveProperty('via');
    expect(asked().at(-1)).toBe(`CONNECT ${new URL(https).host}`);
  });

  test('makes tunnels for references, with their own trust', async () => {
    const ask = createFetch({ env: process.env, attempts: 1 });
    expect((await ask({ url: new URL(https), tls: { ca } })).body.length).toBe(1_000_000);
    expect((await ask({ url: new URL(http) })).body.length).toBe(1_000_000);
  });

  test('refuses a wrong password, and a port that is not for tunnels', async () => {
    vi.stubEnv('https_proxy', `http://me:wrong@127.0.0.1:${port}`);
    await expect(fetch(https)).rejects.toThrow(/answered 401|answered 407/);
    vi.stubEnv('https_proxy', `http://me:word@127.0.0.1:${port}`);
    await expect(fetch(http.replace('http:', 'https:'))).rejects.toThrow(/answered 403/);
  });
});

async function isAnswering(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
