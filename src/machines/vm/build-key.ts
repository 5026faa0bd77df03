import { createPrivateKey, generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import { join } from 'node:path';
import { createOnce } from '../../core/create-once.ts';
import { IngotError } from '../../core/error.ts';
import { sha256 } from '../../core/digest.ts';

export interface BuildKey {
  /** PEM. */
  readonly privateKey: string;
  /** One line of authorized_keys(5). */
  readonly publicKey: string;
  /** Tells this key from others. */
  readonly fingerprint: string;
}

/**
 * The key that this cache's machines let in: machines that were saved know it, so it lives as long as the cache. It is
 * no part of an image: sealing removes it.
 */
export function buildKey(cacheDir: string): BuildKey {
  const path = join(cacheDir, 'vm/build-key.pem');
  const kept = createOnce(path, () =>
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }),
  ).toString();
  return { privateKey: openSshKey(kept, path), publicKey: publicLine(kept, path), fingerprint: sha256(kept) };
}

function rawKey(pem: string, path: string): { readonly seed: Buffer; readonly point: Buffer } {
  try {
    const { d, x } = createPrivateKey(pem).export({ format: 'jwk' }) as JsonWebKey;
    return { seed: Buffer.from(d as string, 'base64url'), point: Buffer.from(x as string, 'base64url') };
  } catch (cause) {
    throw new IngotError('ssh/bad-key', `${path} holds no ed25519 key in PKCS#8`, {
      hint: 'Delete it; a new one is made, and machines in the cache are made anew.',
      cause,
    });
  }
}

const COMMENT = 'ingot-build';
const LABEL = 'OPENSSH PRIVATE KEY';

/** `ssh-ed25519 <base64> comment` (RFC 8709, section 4). */
function publicLine(pem: string, path: string): string {
  return `ssh-ed25519 ${publicBlob(rawKey(pem, path).point).toString('base64')} ${COMMENT}`;
}

function publicBlob(point: Buffer): Buffer {
  return Buffer.concat([text('ssh-ed25519'), text(point)]);
}

/** OpenSSH's own container without a passphrase (openssh-portable: PROTOCOL.key), which SSH programs read. */
function openSshKey(pem: string, path: string): string {
  const { seed, point } = rawKey(pem, path);
  const check = Buffer.alloc(8, 7);
  const secret = Buffer.concat([
    check,
    text('ssh-ed25519'),
    text(point),
    text(Buffer.concat([seed, point])),
    text(COMMENT),
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, i) => i + 1));
  const one = Buffer.from([0, 0, 0, 1]);
  const whole = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    text('none'),
    text('none'),
    text(''),
    one,
    text(publicBlob(point)),
    text(Buffer.concat([secret, padding])),
  ]);
  const lines = whole.toString('base64').match(/.{1,70}/g) ?? [];
  return `-----BEGIN ${LABEL}-----\n${lines.join('\n')}\n-----END ${LABEL}-----\n`;
}

/** A string of RFC 4251, section 5: length and bytes. */
function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
