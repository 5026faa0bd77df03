import {
  constants,
  createHash,
  createPrivateKey,
  type KeyObject,
  randomUUID,
  sign,
  X509Certificate,
} from 'node:crypto';
import { readNamed } from '../credential-file.ts';
import type { Surroundings } from '../provider.ts';
import { notConfigured } from '../refusal.ts';

const VARIABLE = 'AZURE_CLIENT_CERTIFICATE_PATH';
/** As Microsoft's libraries have it. */
const VALID_SECONDS = 600;

/** A service principal's certificate, with its key. */
interface Identity {
  readonly key: KeyObject;
  readonly own: X509Certificate;
  readonly chain: readonly X509Certificate[];
}

/**
 * What proves a service principal by the certificate in AZURE_CLIENT_CERTIFICATE_PATH (Microsoft identity platform,
 * application authentication certificate credentials; RFC 7523, PS256 of RFC 7518). Throws `secrets/not-configured`.
 */
export async function certificateAssertion(
  path: string,
  { client, audience }: { readonly client: string; readonly audience: string },
  around: Surroundings,
): Promise<string> {
  const { key, own, chain } = await readIdentity(path, around.env.AZURE_CLIENT_CERTIFICATE_PASSWORD);
  const issued = Math.floor(around.now().getTime() / 1000);
  const part = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64url');
  const header = {
    alg: 'PS256',
    typ: 'JWT',
    'x5t#S256': createHash('sha256').update(own.raw).digest('base64url'),
    // Some applications trust a name and who signed it, not one certificate.
    ...(/^(?:1|true)$/i.test(around.env.AZURE_CLIENT_SEND_CERTIFICATE_CHAIN ?? '') && {
      x5c: [own, ...chain].map(({ raw }) => raw.toString('base64')),
    }),
  };
  const times = { nbf: issued, exp: issued + VALID_SECONDS };
  const claims = { aud: audience, iss: client, sub: client, jti: randomUUID(), ...times };
  const text = `${part(header)}.${part(claims)}`;
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  const signature = sign('sha256', Buffer.from(text), {
    key,
    padding,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  });
  return `${text}.${signature.toString('base64url')}`;
}

async function readIdentity(path: string, passphrase: string | undefined): Promise<Identity> {
  const wrong = (reason: string, hint: string): Error =>
    notConfigured('Azure', `${VARIABLE} names ${path}, which ${reason}`, hint);
  const pem = await readNamed('Azure', path, VARIABLE);
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const isKey = /-----BEGIN (?:RSA |ENCRYPTED )?PRIVATE KEY-----/.test(pem);
  if (blocks.length === 0 || !isKey)
    throw wrong(
      'has no certificate and key in PEM',
      'Make such a file of another one: openssl pkcs12 -in FILE -nodes -out FILE.pem',
    );
  let key: KeyObject;
  let certificates: X509Certificate[];
  try {
    key = createPrivateKey({ key: pem, ...(passphrase && { passphrase }) });
    certificates = blocks.map((block) => new X509Certificate(block));
  } catch {
    // The reason may have a part of the key.
    throw wrong(
      "can't be opened",
      'Check the file, and AZURE_CLIENT_CERTIFICATE_PASSWORD where its key has one.',
    );
  }
  const own = certificates.find((certificate) => certificate.checkPrivateKey(key));
  if (own && key.asymmetricKeyType === 'rsa')
    return { key, own, chain: certificates.filter((certificate) => certificate !== own) };
  throw wrong('has no RSA key for one of its certificates', 'Put the certificate and its own key into it.');
}
