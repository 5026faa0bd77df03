import { licenceExpression } from './licences.ts';
import { type ImagePackage, type PackageHash, packageUrl } from './package.ts';
import { ZipFile } from '../zip.ts';

const MAX_TEXT = 1024 * 1024;
/** `META-INF/maven/group/artifact/pom.properties`: one for the archive, and one for each that was shaded into it. */
const PROPERTIES = /^META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/;

/** `.jar`, `.war`, `.ear` */
export function isJar(path: string): boolean {
  return /\.[jwe]ar$/i.test(path);
}

/**
 * What a Java archive says it is: Maven's coordinates where it has them, else its manifest. `nested`: archives inside
 * of it that are not opened. Throws `scan/bad-zip`.
 */
export function readJar(
  host: string,
  path: string,
  hash: PackageHash,
): { packages: ImagePackage[]; nested: number } {
  using zip = new ZipFile(host);
  const packages: ImagePackage[] = [];
  let manifest: ReadonlyMap<string, string> = new Map();
  let nested = 0;
  for (const entry of zip.entries(MAX_TEXT)) {
    if (isJar(entry.name)) nested++;
    else if (entry.name === 'META-INF/MANIFEST.MF') manifest = mainAttributes(entry.read().toString('utf8'));
    else if (PROPERTIES.test(entry.name)) {
      const found = fromProperties(entry.read().toString('utf8'), path, hash);
      if (found) packages.push(found);
    }
  }
  if (packages.length > 0) return { packages, nested };
  const found = fromManifest(manifest, path, hash);
  return { packages: found ? [found] : [], nested };
}

function fromProperties(text: string, path: string, hash: PackageHash): ImagePackage | undefined {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, key, value] = /^\s*([^#!=:\s]+)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) fields.set(key, value);
  }
  return mavenPackage(fields.get('groupId'), fields.get('artifactId'), fields.get('version'), path, hash);
}

/** OSGi's and Java's own names (JAR File Specification, "Main Attributes"); group ids are not in there. */
function fromManifest(
  fields: ReadonlyMap<string, string>,
  path: string,
  hash: PackageHash,
): ImagePackage | undefined {
  const fileName = /([^/]+)\.[jwe]ar$/i.exec(path)?.[1] ?? '';
  const [, fromFile, versionOfFile] = /^(.+?)-(\d[\w.+-]*)$/.exec(fileName) ?? [];
  const name = fields.get('bundle-symbolicname')?.split(';')[0]?.trim();
  const version =
    fields.get('implementation-version') ??
    fields.get('bundle-version') ??
    fields.get('specification-version');
  const group = fields.get('implementation-vendor-id');
  const found = mavenPackage(group, fromFile ?? name ?? fileName, versionOfFile ?? version, path, hash);
  const licence = licenceExpression(fields.get('bundle-license')?.split(/[;,]/)[0] ?? '');
  return found && { ...found, ...(licence !== undefined && { licence }) };
}

/** `Name: value`, lines cut at 72 bytes and continued with a blank. */
function mainAttributes(text: string): ReadonlyMap<string, string> {
  const main = text.replaceAll('\r\n', '\n').replaceAll('\n ', '').split('\n\n', 1)[0] as string;
  const fields = main.split('\n').map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, Math.max(colon, 0)).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return new Map(fields);
}

function mavenPackage(
  group: string | undefined,
  name: string | undefined,
  version: string | undefined,
  path: string,
  hash: PackageHash,
): ImagePackage | undefined {
  if (!name || !version) return undefined;
  const namespace = group ? { namespace: group } : {};
  return {
    type: 'maven',
    ...namespace,
    name,
    version,
    path,
    hashes: [hash],
    purl: packageUrl({ type: 'maven', ...namespace, name, version }),
  };
}
