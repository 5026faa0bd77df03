import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tls } from './http.ts';
import { notConfigured } from './refusal.ts';

/** Names of files, as the environment variables of a service give them. */
export interface TlsFiles {
  readonly caCert?: string | undefined;
  readonly caPath?: string | undefined;
  readonly clientCert?: string | undefined;
  readonly clientKey?: string | undefined;
  readonly serverName?: string | undefined;
  readonly insecure?: boolean;
}

/** Reads what TLS needs. Throws `secrets/not-configured` naming the file that can't be read. */
export async function readTls(backend: string, files: TlsFiles): Promise<Tls> {
  const read = async (path: string | undefined): Promise<string | undefined> => {
    if (!path) return undefined;
    try {
      return await readFile(path, 'utf8');
    } catch (cause) {
      const message = `${path} can't be read: ${(cause as Error).message}`;
      throw notConfigured(backend, message, 'Correct the name of the certificate or key.');
    }
  };
  const [ca, cert, key] = await Promise.all([
    files.caCert ? read(files.caCert) : certificatesIn(files.caPath, read),
    read(files.clientCert),
    read(files.clientKey),
  ]);
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(files.serverName && { servername: files.serverName }),
    ...(files.insecure && { insecure: true }),
  };
}

/** All certificates of a folder, in the order of their names. */
async function certificatesIn(
  folder: string | undefined,
  read: (path: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  if (!folder) return undefined;
  const names = (await readdir(folder)).filter((name) => /\.(?:pem|crt|cer)$/.test(name)).sort();
  return (await Promise.all(names.map((name) => read(join(folder, name))))).join('\n');
}

/** As Go reads booleans: `1`, `t`, `true`. */
export function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(?:1|t|true)$/i.test(text);
}
