import { createHash } from 'node:crypto';
import { IngotError } from '../../core/error.ts';
import type { SopsFile } from './file.ts';
import { openSopsValue, plainBytes, typedValue } from './value.ts';

/** Where a MAC over the encrypted values alone begins (sops, MACOnlyEncryptedInitialization). */
const ONLY_ENCRYPTED = Buffer.from('8a3fd2ad54ce66527b1034f3d147be0b0b975b3bf44f72c6fdadec8176f27d69', 'hex');

/**
 * Opens all values of a sops file in place, and checks its MAC, so that none was added, removed or put elsewhere. Throws
 * `secrets/bad-document`.
 */
export function decryptSops(file: SopsFile, key: Buffer): void {
  const { metadata } = file;
  const onlyEncrypted = metadata.mac_only_encrypted === true || metadata.mac_only_encrypted === 'true';
  const hash = createHash('sha512');
  if (onlyEncrypted) hash.update(ONLY_ENCRYPTED);
  for (const leaf of file.leaves) {
    const path = `${leaf.path.join(':')}:`;
    const opened = typeof leaf.value === 'string' ? openSopsValue(leaf.value, key, path) : undefined;
    if (!opened) {
      if (!onlyEncrypted) hash.update(plainBytes(leaf.value));
    } else {
      if (opened.type === 'comment') leaf.remove();
      else {
        hash.update(opened.bytes);
        leaf.set(typedValue(opened));
      }
    }
  }
  const mac = openSopsValue(String(metadata.mac), key, String(metadata.lastmodified));
  const ours = hash.digest('hex').toUpperCase();
  if (mac?.bytes.toString('utf8') === ours) return;
  throw new IngotError('secrets/bad-document', 'the sops file was changed: its MAC does not fit', {
    hint: 'Restore the file from version control, or edit it with sops.',
  });
}
