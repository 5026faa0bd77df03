import {
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { decodeBech32 } from './bech32.ts';

/** DER around the raw keys of X25519 (RFC 8410, section 7). */
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI = Buffer.from('302a300506032b656e032100', 'hex');
const INFO = 'age-encryption.org/v1/X25519';
const KEY_LENGTH = 32;

/** A key that opens age files. */
export interface Identity {
  readonly secret: KeyObject;
  readonly recipient: Buffer;
}

/** The keys of a file of `age-keygen`: a line each, comments left out. Throws `secrets/bad-key`. */
export function readIdentities(text: string): Identity[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const raw = decodeBech32(line, 'age-secret-key-');
      const secret = createPrivateKey({ key: Buffer.concat([PKCS8, raw]), format: 'der', type: 'pkcs8' });
      const der = createPublicKey(secret).export({ format: 'der', type: 'spki' });
      return { secret, recipient: der.subarray(SPKI.length) };
    });
}

/** The file key that was wrapped for an identity; undefined where it was for another (age v1, X25519 recipient stanza). */
export function unwrapFileKey(identity: Identity, share: Buffer, wrapped: Buffer): Buffer | undefined {
  if (share.length !== KEY_LENGTH || wrapped.length !== KEY_LENGTH) return undefined;
  try {
    const theirs = createPublicKey({ key: Buffer.concat([SPKI, share]), format: 'der', type: 'spki' });
    const shared = diffieHellman({ privateKey: identity.secret, publicKey: theirs });
    const salt = Buffer.concat([share, identity.recipient]);
    const key = Buffer.from(hkdfSync('sha256', shared, salt, INFO, KEY_LENGTH));
    return open(key, Buffer.alloc(12), wrapped);
  } catch {
    // It was wrapped for another key, or the share is one of the points that X25519 refuses.
    return undefined;
  }
}

/** Opens ChaCha20-Poly1305; the tag is the last 16 bytes. Throws where it does not fit. */
export function open(key: Buffer, nonce: Buffer, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}
