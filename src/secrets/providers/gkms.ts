import { badParam, fromUrlBase64 } from '../encode.ts';
import { googleEndpoint, googleHeaders } from '../google/call.ts';
import type { Provider, Request } from '../provider.ts';
import { answerObject, loginRefusal, notFound, refusal } from '../refusal.ts';
import { below } from '../service-url.ts';

/**
 * `ref+gkms://URL-SAFE-BASE64?project=&location=&keyring=&crypto_key=`: what the ciphertext decrypts to (Cloud KMS REST API
 * v1, cryptoKeys.decrypt).
 */
export const gkms: Provider = {
  async text(request, around) {
    const ciphertext = fromUrlBase64(request.path, 'the ciphertext of ref+gkms://').toString('base64');
    const [project, location, keyring, key] = ['project', 'location', 'keyring', 'crypto_key'].map((name) =>
      needed(request, name),
    );
    const name = `projects/${project}/locations/${location}/keyRings/${keyring}/cryptoKeys/${key}`;
    const url = below(googleEndpoint('cloudkms', around), 'v1', name);
    url.pathname += ':decrypt';
    const answer = await around.fetch({
      url,
      headers: { ...(await googleHeaders(around)), 'content-type': 'application/json' },
      body: JSON.stringify({ ciphertext }),
    });
    // A key that is not there is no missing secret: no default stands for what it should open.
    const why = answer.status === 404 ? loginRefusal : refusal;
    const { plaintext, plaintextCrc32c } = answerObject(answer, 'Cloud KMS', 'the ciphertext', why);
    // Google's JSON leaves empty fields out, but not the checksum.
    if (plaintext === undefined && plaintextCrc32c !== undefined) return '';
    if (typeof plaintext === 'string') return Buffer.from(plaintext, 'base64').toString('utf8');
    throw notFound('plaintext in the answer of Cloud KMS');
  },
};

function needed(request: Request, name: string): string {
  const value = request.param(name);
  if (value !== undefined && value !== '' && !value.includes('/')) return value;
  throw badParam(name, value ?? '', 'a name, for the key that decrypts');
}
