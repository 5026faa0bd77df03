import { awsParams, callAws } from '../aws/call.ts';
import { isMap } from '../document.ts';
import { readYaml } from '../read-yaml.ts';
import { badParam, fromUrlBase64 } from '../encode.ts';
import type { Provider, Request } from '../provider.ts';
import { notFound } from '../refusal.ts';

const ALGORITHMS = ['SYMMETRIC_DEFAULT', 'RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'];

/** `ref+awskms://URL-SAFE-BASE64?region=&profile=&role_arn=&key=&alg=&context=`: what the ciphertext decrypts to. */
export const awskms: Provider = {
  async text(request, around) {
    const key = request.param('key');
    const algorithm = request.param('alg');
    if (algorithm !== undefined && !ALGORITHMS.includes(algorithm))
      throw badParam('alg', algorithm, ALGORITHMS.join(', '));
    const context = contextOf(request);
    const { Plaintext: plaintext } = await callAws(
      awsParams(request),
      {
        service: 'kms',
        target: 'TrentService.Decrypt',
        input: {
          CiphertextBlob: fromUrlBase64(request.path, 'the ciphertext of ref+awskms://').toString('base64'),
          ...(key !== undefined && { KeyId: key }),
          ...(algorithm !== undefined && { EncryptionAlgorithm: algorithm }),
          ...(context && { EncryptionContext: context }),
        },
        what: 'the ciphertext',
      },
      around,
    );
    if (typeof plaintext === 'string') return Buffer.from(plaintext, 'base64').toString('utf8');
    throw notFound('plaintext in the answer of AWS KMS');
  },
};

/** The encryption context: a JSON map of texts. */
function contextOf(request: Request): Record<string, unknown> | undefined {
  const text = request.param('context');
  if (text === undefined) return undefined;
  const context = readYaml(text, 'the parameter context');
  if (isMap(context) && Object.values(context).every((value) => typeof value === 'string')) return context;
  throw badParam('context', text, 'a JSON map of texts');
}
