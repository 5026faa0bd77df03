import type { Rootfs } from '../rootfs.ts';
import { readRpmHeader, type RpmHeader } from './header.ts';
import { readSqliteTable, SqliteDamage } from './sqlite.ts';

const FOLDERS = ['/usr/lib/sysimage/rpm', '/var/lib/rpm'];
const MAX = 512 * 1024 * 1024;
/** Databases of rpm before 4.16, and of SUSE. */
const OTHER = ['Packages', 'Packages.db'];

/** rpm's database of an image. */
export interface RpmDatabase {
  readonly path: string;
  /** `other`: Berkeley DB or ndb, of which nothing is read. */
  readonly format: 'sqlite' | 'other';
  readonly headers: readonly RpmHeader[];
  /** Why there may be more than `headers`. */
  readonly damage: readonly { readonly path: string; readonly message: string }[];
}

/** Where rpm's database is, without a look into it; undefined: the image has none. */
export function findRpmDatabase(root: Rootfs): Pick<RpmDatabase, 'path' | 'format'> | undefined {
  const find = (names: readonly string[]): string | undefined =>
    FOLDERS.flatMap((folder) => names.map((name) => `${folder}/${name}`)).find((path) => root.exists(path));
  const path = find(['rpmdb.sqlite']);
  if (path !== undefined) return { path, format: 'sqlite' };
  const other = find(OTHER);
  return other === undefined ? undefined : { path: other, format: 'other' };
}

/** Reads rpm's SQLite database: one header a row (rpm.org, "Package format"). undefined: the image has no database of rpm. */
export function readRpmDatabase(root: Rootfs): RpmDatabase | undefined {
  const found = findRpmDatabase(root);
  if (!found) return undefined;
  const { path, format } = found;
  if (format === 'other') {
    const message =
      "rpm's database is in the format Berkeley DB or ndb; only SQLite (rpm 4.16 and later) is read";
    return { path, format, headers: [], damage: [{ path, message }] };
  }
  const damage: { path: string; message: string }[] = [];
  const wal = root.exists(`${path}-wal`) ? root.readBytes(`${path}-wal`, MAX).length : 0;
  if (wal > 0) {
    const message = "rpm's database was not closed: its write-ahead log holds changes";
    damage.push({ path: `${path}-wal`, message });
  }
  const headers: RpmHeader[] = [];
  try {
    for (const row of readSqliteTable(root.readBytes(path, MAX), 'Packages')) {
      const blob = row.find((value) => value instanceof Uint8Array) as Uint8Array | undefined;
      const header = blob && readRpmHeader(blob);
      if (header) headers.push(header);
      else damage.push({ path, message: "a row of rpm's database holds no header" });
    }
  } catch (error) {
    if (!(error instanceof SqliteDamage)) throw error;
    damage.push({ path, message: `rpm's database is damaged: ${error.message}` });
  }
  return { path, format, headers, damage };
}
