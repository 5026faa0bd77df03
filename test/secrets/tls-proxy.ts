import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { output } from './real-tools.ts';

/** A key and a certificate of its own signing for localhost, as files in the folder. */
export function selfSigned(folder: string): { readonly key: string; readonly cert: string } {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const files = ['-keyout', key, '-out', cert];
  output('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, ...subject], { quiet: true });
  return { key, cert };
}

/** Ends TLS before a server that speaks plain HTTP. */
export async function tlsProxy(
  { key, cert }: { readonly key: string; readonly cert: string },
  target: string,
): Promise<AsyncDisposable & { readonly url: string }> {
  const proxy = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (q, r) => {
    const onward = httpRequest(
      new URL(q.url ?? '/', target),
      { method: q.method, headers: q.headers },
      (answer) => {
        r.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(r);
      },
    );
    q.pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, 'localhost', resolve));
  return {
    url: `https://localhost:${(proxy.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
