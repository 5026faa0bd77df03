import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { IngotError } from '../../core/error.ts';
import { type Identity, open, unwrapFileKey } from './identity.ts';

const VERSION = 'age-encryption.org/v1';
const ARMOR =
  /^\s*-----BEGIN AGE ENCRYPTED FILE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END AGE ENCRYPTED FILE-----\s*$/;
const CHUNK = 64 * 1024;
const TAG = 16;
const MOST_STANZAS = 100;

interface Stanza {
  readonly args: readonly string[];
  readonly body: Buffer;
}

/**
 * Decrypts an age file, armored or not, for X25519 identities (age-encryption.org/v1). Throws `secrets/denied` where no
 * identity fits, and `secrets/bad-document` for what is damaged or was changed.
 */
export function decryptAge(file: Buffer, identities: readonly Identity[]): Buffer {
  const armored = ARMOR.exec(file.toString('latin1'))?.[1];
  const binary = armored === undefined ? file : Buffer.from(armored, 'base64');
  const { stanzas, macInput, mac, payload } = readHeader(binary);
  const fileKey = findFileKey(stanzas, identities);
  if (!fileKey) {
    throw new IngotError('secrets/denied', 'none of the age keys opens this', {
      hint: 'Set SOPS_AGE_KEY_FILE or SOPS_AGE_KEY to the key of one of its recipients.',
    });
  }
  const macKey = Buffer.from(hkdfSync('sha256', fileKey, '', 'header', 32));
  const expected = createHmac('sha256', macKey).update(macInput).digest();
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected))
    throw damaged('its header was changed');
  return readPayload(fileKey, payload);
}

function findFileKey(stanzas: readonly Stanza[], identities: readonly Identity[]): Buffer | undefined {
  for (const { args, body } of stanzas) {
    const [type, share = ''] = args;
    if (type !== 'X25519' || args.length !== 2) continue;
    for (const identity of identities) {
      const key = unwrapFileKey(identity, Buffer.from(share, 'base64'), body);
      if (key) return key;
    }
  }
  return undefined;
}

/** The text part: a version, a stanza a recipient, a MAC; then the payload. */
function readHeader(file: Buffer) {
  let at = 0;
  const line = (): string => {
    const end = file.indexOf('\n', at);
    if (end < 0) throw damaged('its header ends too early');
    const text = file.toString('latin1', at, end);
    at = end + 1;
    return text;
  };
  if (line() !== VERSION) throw damaged(`it does not begin with ${VERSION}`);
  const stanzas: Stanza[] = [];
  for (;;) {
    const start = at;
    const [mark, ...args] = line().split(' ');
    if (mark === '---') {
      const macInput = file.subarray(0, start + 3);
      return { stanzas, macInput, mac: Buffer.from(args[0] ?? '', 'base64'), payload: file.subarray(at) };
    }
    if (mark !== '->' || stanzas.length >= MOST_STANZAS) throw damaged('its header is not one of age');
    // The body's last line is the one that is not full.
    let body = '';
    for (let part = line(); ; part = line()) {
      body += part;
      if (part.length < 64) break;
    }
    stanzas.push({ args, body: Buffer.from(body, 'base64') });
  }
}

/** Chunks of 64 KiB, each sealed under its number; the last one says that it is. */
function readPayload(fileKey: Buffer, payload: Buffer): Buffer {
  const nonce = payload.subarray(0, 16);
  const key = Buffer.from(hkdfSync('sha256', fileKey, nonce, 'payload', 32));
  const sealed = payload.subarray(16);
  const chunks: Buffer[] = [];
  const count = Math.max(1, Math.ceil(sealed.length / (CHUNK + TAG)));
  for (let i = 0; i < count; i++) {
    const chunk = sealed.subarray(i * (CHUNK + TAG), (i + 1) * (CHUNK + TAG));
    const chunkNonce = Buffer.alloc(12);
    chunkNonce.writeUIntBE(i, 5, 6);
    chunkNonce[11] = i === count - 1 ? 1 : 0;
    try {
      chunks.push(open(key, chunkNonce, chunk));
    } catch {
      throw damaged('its content was changed or cut off');
    }
  }
  return Buffer.concat(chunks);
}

function damaged(how: string): IngotError {
  return new IngotError('secrets/bad-document', `this is no whole age file: ${how}`, {
    hint: 'Encrypt it anew.',
  });
}
