import { gzipSync } from 'node:zlib';
import { DYNAMIC, STRING } from '../value/type.ts';
import { string, unknown, isWhollyKnown, type Value } from '../value/value.ts';
import { decodeCsv } from './csv.ts';
import { FunctionError, type FunctionSpec, param } from './function.ts';
import { decodeJson, encodeJson } from './json-text.ts';
import { decodeYaml } from './yaml-decode.ts';
import { encodeYaml } from './yaml-encode.ts';

const text = (value: Value | undefined): string => value?.data as string;

function fromText(name: string, change: (value: string) => Value): FunctionSpec {
  return {
    name,
    parameters: [param('str', STRING)],
    returns: name.endsWith('decode') ? DYNAMIC : STRING,
    call: ([s]) => change(text(s)),
  };
}

function fromAny(name: string, change: (value: Value) => string): FunctionSpec {
  return {
    name,
    parameters: [param('value', DYNAMIC, { nullable: true, unknowns: true })],
    returns: STRING,
    call: ([v]) => (isWhollyKnown(v as Value) ? string(change(v as Value)) : unknown(STRING)),
  };
}

/** Base64 with its padding and nothing else in it, as Go's StdEncoding asks for; line breaks are skipped. */
export function decodeBase64(encoded: string): Buffer {
  const plain = encoded.replace(/[\r\n]/g, '');
  if (plain.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(plain))
    throw new FunctionError('this is no base64', 0);
  return Buffer.from(plain, 'base64');
}

/** Bytes as text; refuses what is not UTF-8. */
export function decodeUtf8(bytes: Uint8Array, what: string, argument = 0): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FunctionError(`${what} is not UTF-8 text`, argument);
  }
}

/** Our names of the character sets that can be written as well as read. */
const WRITERS = new Map<string, (value: string) => Uint8Array>([
  ['utf-8', (s) => Buffer.from(s, 'utf8')],
  ['utf-16le', (s) => Buffer.from(s, 'utf16le')],
  ['utf-16be', (s) => Buffer.from(s, 'utf16le').swap16()],
  ['iso-8859-1', (s) => narrow(s, 0xff, 'iso-8859-1')],
  ['us-ascii', (s) => narrow(s, 0x7f, 'us-ascii')],
]);
const ALIASES = new Map([
  ['utf8', 'utf-8'],
  ['utf-16', 'utf-16le'],
  ['latin1', 'iso-8859-1'],
  ['ascii', 'us-ascii'],
]);

function narrow(value: string, most: number, charset: string): Uint8Array {
  const bytes = Buffer.from(value, 'latin1');
  for (const char of value) {
    if ((char.codePointAt(0) as number) > most)
      throw new FunctionError(`${JSON.stringify(char)} can't be written in ${charset}`, 0);
  }
  return bytes;
}

function charset(name: string): string {
  const plain = name.toLowerCase();
  return ALIASES.get(plain) ?? plain;
}

function encodeText(value: string, name: string): Uint8Array {
  const writer = WRITERS.get(charset(name));
  if (!writer)
    throw new FunctionError(
      `${JSON.stringify(name)} can't be written; known are ${[...WRITERS.keys()].join(', ')}`,
      1,
    );
  return writer(value);
}

function decodeText(bytes: Uint8Array, name: string): string {
  let decoder: InstanceType<typeof TextDecoder>;
  try {
    decoder = new TextDecoder(charset(name), { fatal: true, ignoreBOM: true });
  } catch {
    throw new FunctionError(`${JSON.stringify(name)} is no known character set`, 1);
  }
  try {
    return decoder.decode(bytes);
  } catch {
    throw new FunctionError(`the bytes are not ${name}`, 0);
  }
}

/** gzip with nothing of the machine in its header: no time, and "unknown" as operating system. */
function gzip(value: string): Buffer {
  const bytes = gzipSync(Buffer.from(value));
  bytes[9] = 255;
  return bytes;
}

/** Functions that write and read encodings. */
export const encodingFunctions: readonly FunctionSpec[] = [
  fromText('base64encode', (s) => string(Buffer.from(s).toString('base64'))),
  {
    ...fromText('base64decode', (s) => string(decodeUtf8(decodeBase64(s), 'the decoded text'))),
    returns: STRING,
  },
  fromText('base64gzip', (s) => string(gzip(s).toString('base64'))),
  fromText('jsondecode', decodeJson),
  fromText('yamldecode', decodeYaml),
  fromText('csvdecode', decodeCsv),
  fromAny('jsonencode', encodeJson),
  fromAny('yamlencode', encodeYaml),
  {
    name: 'textencodebase64',
    parameters: [param('str', STRING), param('encoding', STRING)],
    returns: STRING,
    call: ([s, name]) => string(Buffer.from(encodeText(text(s), text(name))).toString('base64')),
  },
  {
    name: 'textdecodebase64',
    parameters: [param('str', STRING), param('encoding', STRING)],
    returns: STRING,
    call: ([s, name]) => string(decodeText(decodeBase64(text(s)), text(name))),
  },
];
