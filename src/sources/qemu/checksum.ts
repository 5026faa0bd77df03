import { basename } from 'node:path';
import type { HashName } from './file-hash.ts';

export interface Checksum {
  readonly name: HashName;
  /** Lower-case hex. */
  readonly hex: string;
}

const BY_LENGTH: Readonly<Record<number, HashName>> = { 32: 'md5', 40: 'sha1', 64: 'sha256', 128: 'sha512' };

/** `sha256:0123…`, or the digits alone, whose number tells the kind. Undefined where it is neither. */
export function parseChecksum(text: string): Checksum | undefined {
  const match = /^(?:(md5|sha1|sha256|sha512):)?([0-9a-fA-F]+)$/.exec(text.trim());
  if (!match) return undefined;
  const hex = (match[2] as string).toLowerCase();
  const name = BY_LENGTH[hex.length];
  return name === undefined || (match[1] !== undefined && match[1] !== name) ? undefined : { name, hex };
}

/**
 * A file's checksum out of a list of them, as sha256sum(1) writes it (`hex  name`, `hex *name`) or BSD's tools do
 * (`SHA256 (name) = hex`). A list of one line without a name speaks of any file.
 */
export function findChecksum(list: string, url: string): Checksum | undefined {
  const wanted = basename(url.replace(/[?#].*$/, ''));
  const lines = list.split(/\r?\n/).filter((line) => line.trim() !== '');
  for (const line of lines) {
    const gnu = /^\\?([0-9a-fA-F]{32,128})[ \t]+[ *]?(.+)$/.exec(line.trim());
    if (gnu && basename((gnu[2] as string).trim()) === wanted) return parseChecksum(gnu[1] as string);
    const bsd = /^(?:MD5|SHA1|SHA256|SHA512) \((.+)\) = ([0-9a-fA-F]{32,128})$/.exec(line.trim());
    if (bsd && basename(bsd[1] as string) === wanted) return parseChecksum(bsd[2] as string);
  }
  return lines.length === 1 ? parseChecksum(lines[0] as string) : undefined;
}
