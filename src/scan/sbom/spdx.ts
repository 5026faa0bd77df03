import { licenceRefs } from '../packages/licences.ts';
import type { Inventory } from '../packages/inventory.ts';
import type { ImagePackage } from '../packages/package.ts';
import { isUrl } from './cyclonedx.ts';
import { type ArchiveHashes, hashesOf, idOf, type SbomSubject, timestampOf, uuidOf } from './document.ts';

const ROOT = 'SPDXRef-Image';
const NONE = 'NOASSERTION';

/** SPDX 2.3 as JSON (spdx.github.io/spdx-spec/v2.3). The same image gives the same bytes. */
export function toSpdx(inventory: Inventory, subject: SbomSubject, archives?: ArchiveHashes): string {
  const { packages } = inventory;
  const refs = [...new Set(packages.flatMap((p) => licenceRefs(p.licence ?? '')))].sort();
  const ids = packages.map((found) => `SPDXRef-${idOf(found)}`);
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `${subject.name}-${subject.version}`,
    documentNamespace: `urn:uuid:${uuidOf(subject, inventory)}`,
    creationInfo: { created: timestampOf(subject), creators: ['Tool: ingot'] },
    packages: [imageOf(subject), ...packages.map((found, i) => packageOf(found, ids[i] as string, archives))],
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: ROOT },
      ...ids.map((id) => ({
        spdxElementId: ROOT,
        relationshipType: 'CONTAINS',
        relatedSpdxElement: id,
      })),
    ],
    ...(refs.length > 0 && {
      hasExtractedLicensingInfos: refs.map((id) => ({
        licenseId: id,
        name: id.replace('LicenseRef-', ''),
        extractedText: `Named "${id.replace('LicenseRef-', '')}" by the package; its text is in the image, in most cases in /usr/share/doc.`,
      })),
    }),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function imageOf({ name, version }: SbomSubject) {
  return {
    SPDXID: ROOT,
    name,
    versionInfo: version,
    downloadLocation: NONE,
    filesAnalyzed: false,
    primaryPackagePurpose: 'OPERATING-SYSTEM',
    licenseConcluded: NONE,
    licenseDeclared: NONE,
    copyrightText: NONE,
  };
}

function packageOf(found: ImagePackage, id: string, archives: ArchiveHashes | undefined) {
  const { name, namespace, version, supplier, source, licence, homepage, path, purl, type } = found;
  const hashes = hashesOf(found, archives);
  const full = type === 'npm' && namespace !== undefined ? `${namespace}/${name}` : name;
  return {
    SPDXID: id,
    name: full,
    versionInfo: version,
    ...(supplier !== undefined && { supplier: supplierOf(supplier) }),
    downloadLocation: NONE,
    filesAnalyzed: false,
    ...(hashes.length > 0 && {
      checksums: hashes.map(({ algorithm, value }) => ({
        algorithm: algorithm.replace('-', ''),
        checksumValue: value,
      })),
    }),
    ...(isUrl(homepage) && { homepage }),
    sourceInfo: source
      ? `found in ${path}; built from the source package ${source.name} ${source.version}`
      : `found in ${path}`,
    licenseConcluded: NONE,
    licenseDeclared: licence ?? NONE,
    copyrightText: NONE,
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }],
  };
}

/** `Organization: name (address)`, from `name <address>`. */
function supplierOf(text: string): string {
  const [, name = text, address] = /^(.*?)\s*<([^>\s]+@[^>\s]+)>$/.exec(text) ?? [];
  const clean = name.replace(/[\s()]+/g, ' ').trim() || 'unnamed';
  return `Organization: ${clean}${address === undefined ? '' : ` (${address})`}`;
}
