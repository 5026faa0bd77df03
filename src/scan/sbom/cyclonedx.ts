import type { Inventory } from '../packages/inventory.ts';
import type { ImagePackage, PackageType } from '../packages/package.ts';
import { parseDebianVersion } from '../versions/debian.ts';
import { type ArchiveHashes, hashesOf, idOf, type SbomSubject, timestampOf, uuidOf } from './document.ts';

/** CycloneDX 1.6 as JSON (cyclonedx.org/docs/1.6/json). The same image gives the same bytes. */
export function toCycloneDx(inventory: Inventory, subject: SbomSubject, archives?: ArchiveHashes): string {
  const { os, packages } = inventory;
  const root = `image-${subject.name}`.replace(/[^A-Za-z0-9._-]+/g, '-');
  const components = packages.map((found) => componentOf(found, archives));
  const system = os.id !== undefined && {
    type: 'operating-system',
    'bom-ref': `os-${os.id}`,
    name: os.id,
    ...(os.versionId !== undefined && { version: os.versionId }),
    ...(os.prettyName !== undefined && { description: os.prettyName }),
  };
  const parts = [...(system ? [system] : []), ...components];
  const document = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(subject, inventory)}`,
    version: 1,
    metadata: {
      timestamp: timestampOf(subject),
      tools: { components: [{ type: 'application', name: 'ingot' }] },
      // Not an operating system, too: trivy refuses a document with two of those.
      component: { type: 'container', 'bom-ref': root, name: subject.name, version: subject.version },
    },
    components: parts,
    dependencies: [{ ref: root, dependsOn: parts.map((c) => c['bom-ref']).sort() }],
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function componentOf(found: ImagePackage, archives: ArchiveHashes | undefined) {
  const { type, namespace, name, version, licence, supplier, homepage, source, architecture, path, purl } =
    found;
  const hashes = hashesOf(found, archives);
  const isOfSystem = type === 'deb' || type === 'apk' || type === 'rpm';
  const properties = [
    { name: 'ingot:package:path', value: path },
    ...(architecture === undefined ? [] : [{ name: 'ingot:package:architecture', value: architecture }]),
    ...(source
      ? [
          { name: 'ingot:package:source', value: source.name },
          { name: 'ingot:package:source-version', value: source.version },
        ]
      : []),
    ...(source ? trivySource(type, source) : []),
  ];
  return {
    type: type === 'golang' || !isOfSystem ? 'library' : 'application',
    'bom-ref': idOf(found),
    ...(supplier !== undefined && { supplier: { name: supplier } }),
    ...(namespace !== undefined && !isOfSystem && { group: namespace }),
    name,
    version,
    ...(hashes.length > 0 && {
      hashes: hashes.map(({ algorithm, value }) => ({ alg: algorithm, content: value })),
    }),
    ...(licence !== undefined && { licenses: [{ expression: licence }] }),
    purl,
    ...(isUrl(homepage) && { externalReferences: [{ url: homepage, type: 'website' }] }),
    evidence: { occurrences: [{ location: path }] },
    properties,
  };
}

/**
 * Trivy knows the source package of a package by these alone (aquasecurity.github.io/trivy, "CycloneDX"): what is known of
 * `glibc` is not found for `libc6` without them. What is known of an rpm goes by its own name.
 */
function trivySource(type: PackageType, { name, version }: { name: string; version: string }) {
  const property = (key: string, value: string) => ({ name: `aquasecurity:trivy:${key}`, value });
  if (type === 'apk') return [property('SrcName', name), property('SrcVersion', version)];
  if (type !== 'deb') return [];
  const { epoch, upstream, revision } = parseDebianVersion(version);
  return [
    property('SrcName', name),
    property('SrcVersion', upstream),
    ...(revision === '' ? [] : [property('SrcRelease', revision)]),
    ...(/^[1-9]\d{0,8}$/.test(epoch) ? [property('SrcEpoch', epoch)] : []),
  ];
}

/** What packages write there is not always an address. */
export function isUrl(text: string | undefined): text is string {
  return text !== undefined && /^https?:\/\/[!#-;=?-Z\]_a-z~[]+$/.test(text) && URL.canParse(text);
}
