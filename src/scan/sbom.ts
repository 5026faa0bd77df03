import { writeFile } from 'node:fs/promises';
import { type Digest, sha256 } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';
import type { LockEntry } from '../core/lock.ts';
import type { Rootfs } from '../core/rootfs.ts';
import { type Inventory, takeInventory } from './packages/inventory.ts';
import { toCycloneDx } from './sbom/cyclonedx.ts';
import type { ArchiveHashes, SbomSubject } from './sbom/document.ts';
import type { SbomFormat } from './sbom/formats.ts';
import { toSpdx } from './sbom/spdx.ts';

export type { SbomFormat } from './sbom/formats.ts';

/**
 * The packages of an image, for a bill of materials. Throws `scan/unreadable-packages` where any database of packages
 * cannot be read in full: a bill that leaves something out is worse than none.
 */
export function inventoryForSbom(root: Rootfs): Inventory {
  const inventory = takeInventory(root);
  const errors = inventory.findings.filter((f) => f.severity === 'error');
  if (errors.length === 0) return inventory;
  throw new IngotError(
    'scan/unreadable-packages',
    `the packages of the image cannot be listed: ${errors.map((e) => `${e.path}: ${e.message}`).join('; ')}`,
    { hint: 'Repair the database in a provisioner, or build the image anew.' },
  );
}

/** The document in a format. */
export function renderSbom(
  format: SbomFormat,
  inventory: Inventory,
  subject: SbomSubject,
  archives?: ArchiveHashes,
): string {
  return format === 'spdx' ? toSpdx(inventory, subject, archives) : toCycloneDx(inventory, subject, archives);
}

/** Writes bills of materials of a mounted image, in the order of `files`. */
export async function writeSboms(
  root: Rootfs,
  subject: SbomSubject,
  archives: ArchiveHashes,
  files: readonly { readonly format: SbomFormat; readonly target: string }[],
): Promise<{ readonly digest: Digest; readonly size: number }[]> {
  const inventory = inventoryForSbom(root);
  const written = [];
  for (const { format, target } of files) {
    const text = renderSbom(format, inventory, subject, archives);
    await writeFile(target, text, { flag: 'wx' });
    written.push({ digest: sha256(text), size: Buffer.byteLength(text) });
  }
  return written;
}

/** What a lock knows of the archives that were installed. */
export function archiveHashes(entry: LockEntry | undefined): ArchiveHashes {
  const packages = entry?.kind === 'apt' ? entry.packages : [];
  return new Map(packages.map((p) => [`${p.name} ${p.version} ${p.architecture}`, p.sha256]));
}
