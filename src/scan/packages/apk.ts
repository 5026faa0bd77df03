import type { Rootfs } from '../../core/rootfs.ts';
import { licenceExpression } from './licences.ts';
import type { OsRelease } from './os-release.ts';
import { type ImagePackage, type InventoryFinding, type PackageHash, packageUrl } from './package.ts';

const DATABASES = ['/lib/apk/db/installed', '/usr/lib/apk/db/installed'];
const MAX = 64 * 1024 * 1024;

export interface ApkInventory {
  readonly packages: readonly ImagePackage[];
  readonly findings: readonly InventoryFinding[];
  readonly files: ReadonlySet<string>;
  readonly present: boolean;
}

/** Alpine's database of installed packages (wiki.alpinelinux.org, "Apk spec"): `X:value` lines, a blank line between packages. */
export function readApk(root: Rootfs, os: OsRelease): ApkInventory {
  const path = DATABASES.find((p) => root.exists(p));
  if (path === undefined) return { packages: [], findings: [], files: new Set(), present: false };
  const findings: InventoryFinding[] = [];
  const bytes = root.readBytes(path, MAX);
  if (bytes.includes(0))
    findings.push({ severity: 'error', path, message: "apk's database holds NUL bytes: it is damaged" });
  const text = Buffer.from(bytes).toString('utf8');
  if (text !== '' && !text.endsWith('\n'))
    findings.push({ severity: 'error', path, message: "apk's database ends within a line: it is cut off" });
  const files = new Set<string>();
  const packages: ImagePackage[] = [];
  for (const block of text.split(/\n{2,}/)) {
    const fields = new Map<string, string>();
    let folder = '';
    for (const line of block.split('\n').filter((l) => l !== '')) {
      if (line[1] !== ':') {
        findings.push({
          severity: 'error',
          path,
          message: `no line of apk's database: ${line.slice(0, 60)}`,
        });
        continue;
      }
      const [key, value] = [line[0] as string, line.slice(2)];
      if (key === 'F') folder = value;
      else if (key === 'R') files.add(`/${folder}/${value}`.replaceAll(/\/+/g, '/'));
      else if (!fields.has(key)) fields.set(key, value);
    }
    if (fields.size > 0) packages.push(...toPackage(fields, path, os, findings));
  }
  return { packages, findings, files, present: true };
}

function toPackage(
  fields: ReadonlyMap<string, string>,
  path: string,
  os: OsRelease,
  findings: InventoryFinding[],
): ImagePackage[] {
  const name = fields.get('P') ?? '';
  const version = fields.get('V') ?? '';
  if (name === '' || version === '') {
    const message = `an entry of apk's database has no ${name === '' ? 'name' : `version: ${name}`}`;
    findings.push({ severity: 'error', path, message });
    return [];
  }
  const architecture = fields.get('A');
  const namespace = os.id ?? 'alpine';
  const licence = licenceExpression(fields.get('L') ?? '');
  const origin = fields.get('o') ?? name;
  const homepage = fields.get('U');
  const supplier = fields.get('m');
  return [
    {
      type: 'apk',
      namespace,
      name,
      version,
      ...(architecture !== undefined && { architecture }),
      source: { name: origin, version },
      ...(licence !== undefined && { licence }),
      ...(supplier !== undefined && { supplier }),
      ...(homepage !== undefined && { homepage }),
      path,
      hashes: hashOf(fields.get('C')),
      purl: packageUrl({
        type: 'apk',
        namespace,
        name,
        version,
        qualifiers: {
          arch: architecture,
          distro: os.versionId && `${namespace}-${os.versionId}`,
          upstream: origin === name ? undefined : origin,
        },
      }),
    },
  ];
}

/** `Q1` + base64 of the SHA-1 of the archive's control part. */
function hashOf(checksum: string | undefined): PackageHash[] {
  const digest = Buffer.from(/^Q1(.+)$/.exec(checksum ?? '')?.[1] ?? '', 'base64');
  return digest.length === 20 ? [{ algorithm: 'SHA-1', value: digest.toString('hex'), of: 'archive' }] : [];
}
