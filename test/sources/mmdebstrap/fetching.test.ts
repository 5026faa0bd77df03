import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BlobCache } from '../../../src/sources/mmdebstrap/blobs.ts';
import { fetchPackage } from '../../../src/sources/mmdebstrap/download.ts';
import { fetchBlob, fetchBytes } from '../../../src/sources/mmdebstrap/fetch.ts';
import { type Located, LockedArchive } from '../../../src/sources/mmdebstrap/locked-archive.ts';
import { startArchiveProxy } from '../../../src/sources/mmdebstrap/proxy.ts';

const content = Buffer.from('0123456789'.repeat(1000));
const expected = { sha256: createHash('sha256').update(content).digest('hex'), size: content.length };
const { signal } = new AbortController();

let dir: string;
let cache: BlobCache;
let server: Server;
let base: string;
let asked: string[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-fetch-'));
  cache = new BlobCache(dir);
  asked = [];
  server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.range ?? ''}`.trim());
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(dir, { recursive: true });
});

describe('a file for the cache', () => {
  test('is fetched once', async () => {
    answer = (_request, response) => response.end(content);
    await fetchBlob([`${base}/a`], expected, cache, signal);
    await fetchBlob([`${base}/a`], expected, cache, signal);
    expect(asked).toEqual(['/a']);
    expect(await cache.verify(expected.sha256)).toBe(true);
    expect(readdirSync(join(dir, 'partial'))).toEqual([]);
  });

  test('goes on where the transfer broke off', async () => {
    answer = (request, response) => {
      if (request.headers.range === undefined) {
        response.writeHead(200, { 'content-length': content.length });
        response.write(content.subarray(0, 4000), () => response.destroy());
      } else {
        response.writeHead(206).end(content.subarray(4000));
      }
    };
    await fetchBlob([`${base}/a`], expected, cache, signal);
    expect(asked).toEqual(['/a', '/a bytes=4000-']);
  });

  test('goes on where the server knows no ranges', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': content.length });
      if (asked.length > 1) response.end(content);
      else response.write(content.subarray(0, 4000), () => response.destroy());
    };
    await fetchBlob([`${base}/a`], expected, cache, signal);
    expect(await cache.verify(expected.sha256)).toBe(true);
  });

  test('comes from the next mirror where the first has it not', async () => {
    answer = (request, response) => {
      if (request.url === '/b') response.end(content);
      else response.writeHead(404).end();
    };
    await fetchBlob([`${base}/a`, `${base}/b`], expected, cache, signal);
    expect(asked).toEqual(['/a', '/b']);
  });

  test.each([
    ['other bytes', Buffer.alloc(content.length, 'x')],
    ['too many bytes', Buffer.concat([content, Buffer.from('!')])],
  ])('is refused with %s, and nothing of it stays', async (_name, bytes) => {
    answer = (_request, response) => response.end(bytes);
    await expect(fetchBlob([`${base}/a`], expected, cache, signal)).rejects.toMatchObject({
      code: 'apt/hash-mismatch',
    });
    expect(cache.has(expected.sha256)).toBe(false);
    expect(readdirSync(join(dir, 'partial'))).toEqual([]);
  });

  test('a server that fails three times is unreachable', async () => {
    answer = (_request, response) => response.writeHead(503).end();
    await expect(fetchBytes(`${base}/a`, 10, signal)).rejects.toMatchObject({
      code: 'apt/mirror-unreachable',
    });
    expect(asked.length).toBe(3);
  });

  test('an answer that does not end is cut off', async () => {
    answer = (_request, response) => response.end(content);
    await expect(fetchBytes(`${base}/a`, 100, signal)).rejects.toThrow(/larger than 100 bytes/);
  });

  test('a package that is gone is named, with the remedy', async () => {
    answer = (_request, response) => response.writeHead(404).end();
    const pkg = {
      ...expected,
      name: 'nginx',
      version: '1-1',
      architecture: 'all',
      filename: 'pool/n.deb',
      archive: 'debian',
    };
    const wanted = [{ suite: 'bookworm', components: ['main'], bases: [base] }];
    await expect(fetchPackage(pkg, wanted, cache, signal)).rejects.toMatchObject({
      code: 'apt/package-gone',
      message: expect.stringContaining('nginx 1-1'),
      hint: expect.stringContaining('ingot update'),
    });
  });

  test('a damaged file of the cache is found out and removed', async () => {
    const hex = await cache.put('good');
    writeFileSync(cache.path(hex), 'evil');
    expect(await cache.verify(hex)).toBe(false);
    expect(cache.has(hex)).toBe(false);
  });
});

describe('the locked archive', () => {
  const packages = 'Package: p\nVersion: 1\nArchitecture: all\nFilename: pool/p.deb\n';
  const hash = (text: string | Buffer) => createHash('sha256').update(text).digest('hex');

  async function archive() {
    const index = `${packages}Size: ${content.length}\nSHA256: ${expected.sha256}\n`;
    const release = `Label: Debian\nSuite: s\nDate: Wed, 18 Nov 2026 22:17:41 UTC\nSHA256:\n ${hash(index)} ${index.length} main/binary-amd64/Packages\n`;
    const inRelease = `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${release}\n-----BEGIN PGP SIGNATURE-----\n`;
    const digest = `sha256:${await cache.put(inRelease)}` as const;
    answer = (request, response) => {
      if (request.url === '/debian/pool/p.deb') response.end(content);
      else if (request.url === '/debian/dists/s/main/binary-amd64/Packages') response.end(index);
      else response.writeHead(404).end();
    };
    const suites = [{ archive: 'debian', suite: 's', components: ['main'], inRelease: digest, date: 0 }];
    const places = [{ suite: 's', components: ['main'], bases: [`${base}/debian`] }];
    const entry = { kind: 'apt', request: digest, suites, packages: [], tools: [] } as const;
    return {
      entry,
      inRelease,
      locked: new LockedArchive(entry, places, cache, { signal, host: {} as never }),
    };
  }

  test.each<[string, Located['kind']]>([
    ['/debian/dists/s/InRelease', 'file'],
    ['/debian/dists/s/main/binary-amd64/Packages', 'file'],
    ['/debian/dists/s/main/binary-amd64/Packages.diff/Index', 'absent'],
    ['/debian/dists/t/InRelease', 'foreign'],
    ['/debian/pool/p.deb', 'file'],
    ['/debian/pool/newer.deb', 'absent'],
    ['/other/pool/newer.deb', 'foreign'],
    ['/debian/dists/s/%2e%2e/%2e%2e/x', 'absent'],
    ['/index.html', 'foreign'],
  ])('%s is %s', async (path, kind) => {
    const { locked } = await archive();
    expect((await locked.locate(path)).kind).toBe(kind);
  });

  test('a state that is nowhere any more is an error with its remedy', async () => {
    const { entry, locked } = await archive();
    rmSync(cache.path(entry.suites[0]?.inRelease.slice(7) ?? ''));
    await expect(locked.locate('/debian/dists/s/InRelease')).rejects.toMatchObject({
      code: 'apt/state-gone',
    });
  });

  test('the proxy serves it, passes others through, and says so once', async () => {
    const { locked, inRelease } = await archive();
    const said: string[] = [];
    const ctx = {
      signal,
      step: 's',
      emit: (e: { type: string; line?: string }) => said.push(e.line ?? e.type),
    };
    await using proxy = await startArchiveProxy(locked, ctx);
    const get = (url: string) =>
      new Promise<[number, string]>((resolve, reject) => {
        request({ host: '127.0.0.1', port: proxy.port, path: url, agent: false }, (response) => {
          let text = '';
          response.on('data', (chunk) => (text += chunk));
          response.on('end', () => resolve([response.statusCode ?? 0, text]));
        })
          .on('error', reject)
          .end();
      });
    expect(await get('http://deb.debian.org/debian/dists/s/InRelease')).toEqual([200, inRelease]);
    expect((await get('http://deb.debian.org/debian/pool/newer.deb'))[0]).toBe(404);
    expect(said).toEqual([]);
    expect((await get(`${base}/elsewhere`))[0]).toBe(404);
    expect((await get(`${base}/elsewhere`))[0]).toBe(404);
    expect(said).toEqual([expect.stringMatching(/not locked: this step is unpinned/)]);
    expect((await get('/no-proxy-request'))[0]).toBe(405);
  });
});
