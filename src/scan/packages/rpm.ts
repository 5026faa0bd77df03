import type { Rootfs } from '../../core/rootfs.ts';
import { readRpmDatabase } from '../../core/rpm/database.ts';
import type { RpmHeader } from '../../core/rpm/header.ts';
import { licenceExpression } from './licences.ts';
import type { OsRelease } from './os-release.ts';
import { type ImagePackage, type InventoryFinding, packageUrl } from './package.ts';

export interface RpmInventory {
  readonly packages: readonly ImagePackage[];
  readonly findings: readonly InventoryFinding[];
  readonly files: ReadonlySet<string>;
  readonly present: boolean;
}

/** Packages in rpm's database. One of another format than SQLite is a finding. */
export function readRpm(root: Rootfs, os: OsRelease): RpmInventory {
  const database = readRpmDatabase(root);
  if (!database) return { packages: [], findings: [], files: new Set(), present: false };
  const { path, headers, damage } = database;
  return {
    // Keys that were imported; nothing is installed for them.
    packages: headers.filter(({ name }) => name !== 'gpg-pubkey').map((h) => toPackage(h, path, os)),
    findings: damage.map((found) => ({ severity: 'error', ...found })),
    files: new Set(headers.flatMap(({ files }) => files)),
    present: true,
  };
}

function toPackage(header: RpmHeader, path: string, os: OsRelease): ImagePackage {
  const { name, architecture, vendor, homepage, epoch } = header;
  const release = `${header.version}-${header.release}`;
  const version = epoch === undefined || epoch === 0 ? release : `${epoch}:${release}`;
  const namespace = os.id ?? 'rpm';
  const licence = licenceExpression(header.licence ?? '');
  const [, sourceName, sourceVersion] =
    /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(header.sourceRpm ?? '') ?? [];
  return {
    type: 'rpm',
    namespace,
    name,
    version,
    ...(architecture !== undefined && { architecture }),
    ...(sourceName !== undefined && { source: { name: sourceName, version: sourceVersion as string } }),
    ...(licence !== undefined && { licence }),
    ...(vendor !== undefined && { supplier: vendor }),
    ...(homepage !== undefined && { homepage }),
    path,
    hashes: [],
    purl: packageUrl({
      type: 'rpm',
      namespace,
      name,
      version: release,
      qualifiers: {
        arch: architecture,
        epoch: epoch === undefined || epoch === 0 ? undefined : String(epoch),
        upstream: header.sourceRpm,
        distro: os.versionId && `${namespace}-${os.versionId}`,
      },
    }),
  };
}
