import { constants, createHash, createPrivateKey, privateDecrypt, randomUUID } from 'node:crypto';
import { asIngotError } from '../../core/error.ts';
import { type Decimal, numberToFloat } from '../value/number.ts';
import { NUMBER, STRING } from '../value/type.ts';
import { string, type Value } from '../value/value.ts';
import { bcrypt } from './bcrypt.ts';
import { decodeBase64, decodeUtf8 } from './encoding.ts';
import { FunctionError, type FunctionSpec, param } from './function.ts';

const text = (value: Value | undefined): string => value?.data as string;

function hash(name: string): FunctionSpec {
  return {
    name,
    parameters: [param('str', STRING)],
    returns: STRING,
    call: ([s]) => string(createHash(name).update(text(s)).digest('hex')),
  };
}

/** Names of RFC 4122's namespaces that may stand for their UUID. */
const NAMESPACES = new Map([
  ['dns', '6ba7b810-9dad-11d1-80b4-00c04fd430c8'],
  ['url', '6ba7b811-9dad-11d1-80b4-00c04fd430c8'],
  ['oid', '6ba7b812-9dad-11d1-80b4-00c04fd430c8'],
  ['x500', '6ba7b814-9dad-11d1-80b4-00c04fd430c8'],
]);

/** A UUID from a namespace and a name (RFC 4122, section 4.3, by SHA-1). */
function uuidv5(namespace: string, name: string): string {
  const id = NAMESPACES.get(namespace) ?? namespace;
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) {
    throw new FunctionError(`expected dns, url, oid, x500 or a UUID; got ${JSON.stringify(namespace)}`, 0);
  }
  const bytes = createHash('sha1')
    .update(Buffer.from(id.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest()
    .subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Decrypts base64 text with an RSA key in PEM (PKCS #1 v1.5 padding). */
function rsaDecrypt(ciphertext: string, pem: string): string {
  let key: ReturnType<typeof createPrivateKey>;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw new FunctionError(`the key is no PEM private key: ${asIngotError(error).message}`, 1);
  }
  let padded: Buffer;
  try {
    padded = privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, decodeBase64(ciphertext));
  } catch (error) {
    if (error instanceof FunctionError) throw error;
    throw new FunctionError('the text was not encrypted for this key', 0);
  }
  return decodeUtf8(unpad(padded), 'the decrypted text');
}

/**
 * Takes off the padding of PKCS #1 v1.5 (RFC 8017, section 7.2.2): 0, 2, at least 8 bytes that are not 0, then 0.
 * Node refuses that padding, against attackers who can ask a server again and again; here nobody can.
 */
function unpad(padded: Buffer): Buffer {
  const end = padded.indexOf(0, 2);
  if (padded[0] !== 0 || padded[1] !== 2 || end < 10)
    throw new FunctionError('the text was not encrypted for this key', 0);
  return padded.subarray(end + 1);
}

/** Hashes, passwords and UUIDs. */
export const cryptoFunctions: readonly FunctionSpec[] = [
  hash('md5'),
  hash('sha1'),
  hash('sha256'),
  hash('sha512'),
  {
    name: 'bcrypt',
    parameters: [param('str', STRING)],
    rest: param('cost', NUMBER),
    returns: STRING,
    // Its salt is random.
    volatile: true,
    call: ([s, cost]) => string(bcrypt(text(s), cost ? numberToFloat(cost.data as Decimal) : 10)),
  },
  {
    name: 'rsadecrypt',
    parameters: [param('ciphertext', STRING), param('privatekey', STRING)],
    returns: STRING,
    call: ([ciphertext, key]) => string(rsaDecrypt(text(ciphertext), text(key))),
  },
  { name: 'uuidv4', parameters: [], returns: STRING, volatile: true, call: () => string(randomUUID()) },
  {
    name: 'uuidv5',
    parameters: [param('namespace', STRING), param('name', STRING)],
    returns: STRING,
    call: ([namespace, name]) => string(uuidv5(text(namespace), text(name))),
  },
];
