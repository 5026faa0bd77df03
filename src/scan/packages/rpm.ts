import type { Rootfs } from '../../core/rootfs.ts';
import { licenceExpression } from './licences.ts';
import type { OsRelease } from './os-release.ts';
import { type ImagePackage, type InventoryFinding, packageUrl } from './package.ts';
import { readRpmHeader, type RpmHeader } from './rpm-header.ts';
import { readSqliteTable, SqliteDamage } from './sqlite.ts';

const FOLDERS = ['/usr/lib/sysimage/rpm', '/var/lib/rpm'];
const MAX = 512 * 1024 * 1024;
/** Databases of rpm before 4.16, and of SUSE. */
const OTHER = ['Packages', 'Packages.db'];

export interface RpmInventory {
  readonly packages: readonly ImagePackage[];
  readonly findings: readonly InventoryFinding[];
  readonly files: ReadonlySet<string>;
  readonly present: boolean;
}

/** Packages in rpm's SQLite database: one header a row (rpm.org, "Package format"). Other formats are a finding. */
export function readRpm(root: Rootfs, os: OsRelease): RpmInventory {
  const none = { packages: [], files: new Set<string>() };
  const path = FOLDERS.map((folder) => `${folder}/rpmdb.sqlite`).find((p) => root.exists(p));
  if (path === undefined) {
    const other = FOLDERS.flatMap((folder) => OTHER.map((name) => `${folder}/${name}`)).find((p) =>
      root.exists(p),
    );
    if (other === undefined) return { ...none, findings: [], present: false };
    const message =
      "rpm's database is in the format Berkeley DB or ndb; only SQLite (rpm 4.16 and later) is read";
    return { ...none, findings: [{ severity: 'error', path: other, message }], present: true };
  }
  const findings: InventoryFinding[] = [];
  const wal = root.exists(`${path}-wal`) ? root.readBytes(`${path}-wal`, MAX).length : 0;
  if (wal > 0) {
    const message = "rpm's database was not closed: its write-ahead log holds changes";
    findings.push({ severity: 'error', path: `${path}-wal`, message });
  }
  const packages: ImagePackage[] = [];
  const files = new Set<string>();
  try {
    for (const row of readSqliteTable(root.readBytes(path, MAX), 'Packages')) {
      const blob = row.find((value) => value instanceof Uint8Array) as Uint8Array | undefined;
      const header = blob && readRpmHeader(blob);
      if (!header) {
        findings.push({ severity: 'error', path, message: "a row of rpm's database holds no header" });
        continue;
      }
      for (const file of header.files) files.add(file);
      // Keys that were imported; nothing is installed for them.
      if (header.name !== 'gpg-pubkey') packages.push(toPackage(header, path, os));
    }
  } catch (error) {
    if (!(error instanceof SqliteDamage)) throw error;
    findings.push({ severity: 'error', path, message: `rpm's database is damaged: ${error.message}` });
  }
  return { packages, findings, files, present: true };
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
