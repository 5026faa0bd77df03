import { encodeText, badParam, fromUrlBase64 } from '../encode.ts';
import type { Provider, Request, Surroundings } from '../provider.ts';
import { sopsDataKey } from '../sops/data-key.ts';
import { decryptSops } from '../sops/decrypt.ts';
import { readSopsFile, type SopsFile, sopsFormat } from '../sops/file.ts';
import { readSecretFile } from './file.ts';

/**
 * `ref+sops://path/to/file?format=yaml|json|dotenv|binary&encode=raw|base64#/key`, or URL-safe base64 of the file with
 * `key_type=base64`; with region, profile and role_arn for AWS KMS.
 */
export const sops: Provider = {
  async text(request, around) {
    const file = await openFile(request, request.param('format'), around);
    return encodeText(Buffer.from(file.text()), request.param('encode'));
  },
  async document(request, around) {
    const isInline = request.param('key_type') === 'base64';
    const format = request.param('format') ?? (isInline ? 'yaml' : undefined);
    return (await openFile(request, format, around)).data();
  },
};

async function openFile(
  request: Request,
  format: string | undefined,
  around: Surroundings,
): Promise<SopsFile> {
  const keyType = request.param('key_type') ?? 'filepath';
  if (keyType !== 'filepath' && keyType !== 'base64')
    throw badParam('key_type', keyType, 'filepath or base64');
  const isInline = keyType === 'base64';
  const content = isInline
    ? fromUrlBase64(request.path, 'the file in ref+sops://')
    : await readSecretFile(request.path);
  const file = readSopsFile(content.toString('utf8'), sopsFormat(isInline ? '' : request.path, format));
  decryptSops(file, await sopsDataKey(file.metadata, request, around));
  return file;
}
