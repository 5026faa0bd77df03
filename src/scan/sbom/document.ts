import { createHash } from 'node:crypto';
import { canonicalJson } from '../../core/digest.ts';
import type { Inventory } from '../packages/inventory.ts';
import type { ImagePackage, PackageHash } from '../packages/package.ts';

/** What an SBOM says of the image as a whole. */
export interface SbomSubject {
  readonly name: string;
  readonly version: string;
  /** SOURCE_DATE_EPOCH: the same image gives the same bytes. */
  readonly epoch: number;
}

/** SHA-256 of published archives by `name version architecture`, from the lock. */
export type ArchiveHashes = ReadonlyMap<string, string>;

/** The moment in the form that both formats want: no fraction, UTC. */
export function timestampOf({ epoch }: SbomSubject): string {
  return new Date(epoch * 1000).toISOString().replace('.000Z', 'Z');
}

/** A UUID that stands for this content, in the form of a random one (RFC 9562, version 8). */
export function uuidOf(subject: SbomSubject, inventory: Inventory): string {
  const content = canonicalJson([subject, inventory.packages]);
  const hex = createHash('sha256').update(content).digest('hex');
  const variant = ((Number.parseInt(hex[16] as string, 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

/** A package's own hashes, and that of its archive where the lock has it. */
export function hashesOf(found: ImagePackage, archives: ArchiveHashes | undefined): readonly PackageHash[] {
  const archive = archives?.get(`${found.name} ${found.version} ${found.architecture}`);
  if (found.type !== 'deb' || archive === undefined) return found.hashes;
  return [{ algorithm: 'SHA-256', value: archive, of: 'archive' }, ...found.hashes];
}

/** A short name that is unique to the package and where it was found. */
export function idOf({ type, name, version, purl, path }: ImagePackage): string {
  const readable = `${type}-${name}-${version}`.replace(/[^A-Za-z0-9.-]+/g, '-').slice(0, 80);
  return `${readable}-${createHash('sha256').update(`${purl}\n${path}`).digest('hex').slice(0, 12)}`;
}
