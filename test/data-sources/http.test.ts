import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { httpData } from '../../src/data-sources/http.ts';
import { fakeContext } from '../provisioners/fake-machine.ts';
import { optionsOf } from '../provisioners/options.ts';

let server: Server;
let other: Server;
let base: string;
const seen: { method: string; url: string; secret: string | undefined; body: string }[] = [];

const listen = async (one: Server): Promise<string> => {
  await new Promise<void>((done) => one.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(one.address() as AddressInfo).port}`;
};
const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const part of request) text += String(part);
  return text;
};

beforeAll(async () => {
  other = createServer((request, response) => {
    response.end(`secret: ${String(request.headers['x-secret'] ?? 'none')}`);
  });
  const elsewhere = await listen(other);
  const targets: Record<string, string> = {
    '/there': '/plain',
    '/away': elsewhere,
    '/file': 'file:///etc/passwd',
    '/round': '/round',
  };
  server = createServer(async (request, response) => {
    const url = request.url as string;
    seen.push({
      method: request.method as string,
      url,
      secret: request.headers['x-secret'] as string | undefined,
      body: await bodyOf(request),
    });
    const target = targets[url];
    if (target !== undefined) response.writeHead(302, { location: target }).end();
    else if (url === '/none') response.writeHead(404).end('no');
    else if (url === '/large') response.end(Buffer.alloc(11 * 1024 * 1024));
    else if (url === '/never') return;
    else response.setHeader('content-type', 'text/plain').end('hello');
  });
  base = await listen(server);
});
afterAll(async () => {
  for (const one of [server, other]) {
    one.closeAllConnections();
    await new Promise((done) => one.close(done));
  }
});

const read = async (hcl: string, signal?: AbortSignal) => {
  const { ctx } = fakeContext('/');
  return await httpData.read(await optionsOf(httpData, hcl), { ...ctx, ...(signal && { signal }) });
};

test('answers address, body and headers by the names that Go gives them', async () => {
  expect(await read(`url = "${base}/plain"`)).toMatchObject({
    url: `${base}/plain`,
    body: 'hello',
    response_headers: { 'Content-Type': 'text/plain' },
  });
});

test('sends method, headers and body', async () => {
  await read(`url = "${base}/x"\nmethod = "POST"\nrequest_headers = { X-Secret = "s" }\nrequest_body = "b"`);
  expect(seen.at(-1)).toEqual({ method: 'POST', url: '/x', secret: 's', body: 'b' });
});

test('follows redirects, and leaves the headers behind when the server is another', async () => {
  expect(await read(`url = "${base}/there"`)).toMatchObject({ body: 'hello' });
  expect(await read(`url = "${base}/away"\nrequest_headers = { X-Secret = "s" }`)).toMatchObject({
    body: 'secret: none',
  });
});

describe('is refused:', () => {
  test.each([
    ['another status', '/none', '404'],
    ['a redirect to a file', '/file', 'neither http nor https'],
    ['a redirect without end', '/round', 'more than 10 times'],
    ['too much', '/large', 'more than'],
  ])('%s', async (_what, path, message) => {
    await expect(read(`url = "${base}${path}"`)).rejects.toMatchObject({
      code: 'data-source/http',
      message: expect.stringContaining(message) as unknown,
    });
  });

  test('a server that is not there', async () => {
    await expect(read('url = "http://127.0.0.1:1/"')).rejects.toMatchObject({ code: 'data-source/http' });
  });

  test('an address that is no address of the web', async () => {
    for (const url of ['file:///etc/passwd', 'nowhere'])
      await expect(optionsOf(httpData, `url = "${url}"`)).rejects.toThrow('http or https');
  });
});

test('stops waiting when the build is stopped', async () => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error('stopped')), 50);
  await expect(read(`url = "${base}/never"`, stop.signal)).rejects.toThrow('stopped');
});
