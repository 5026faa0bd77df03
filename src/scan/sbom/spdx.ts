import { licenceRefs } from '../packages/licences.ts';
import type { Inventory } from '../packages/inventory.ts';
import type { ImagePackage } from '../packages/package.ts';
import { isUrl } from './cyclonedx.ts';
import { type ArchiveHashes, hashesOf, idOf, type SbomSubject, timestampOf, uuidOf } from './document.ts';

const ROOT = 'SPDXRef-Image';
const NONE = 'NOASSERTION';
/** Of what stands for many packages. */
const UNKNOWN = {
  downloadLocation: NONE,
  filesAnalyzed: false,
  licenseConcluded: NONE,
  licenseDeclared: NONE,
  copyrightText: NONE,
};

/** SPDX 2.3 as JSON (spdx.github.io/spdx-spec/v2.3). The same image gives the same bytes. */
export function toSpdx(inventory: Inventory, subject: SbomSubject, archives?: ArchiveHashes): string {
  const { os, packages } = inventory;
  const refs = [...new Set(packages.flatMap((p) => licenceRefs(p.licence ?? '')))].sort();
  const system = os.id === undefined ? [] : [systemOf(os.id, os.versionId)];
  const parts = [...system, ...packages.map((found) => packageOf(found, archives))];
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `${subject.name}-${subject.version}`,
    documentNamespace: `urn:uuid:${uuidOf(subject, inventory)}`,
    creationInfo: { created: timestampOf(subject), creators: ['Tool: ingot'] },
    packages: [imageOf(subject), ...parts],
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: ROOT },
      ...parts.map(({ SPDXID }) => ({
        spdxElementId: ROOT,
        relationshipType: 'CONTAINS',
        relatedSpdxElement: SPDXID,
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
  return { SPDXID: ROOT, name, versionInfo: version, primaryPackagePurpose: 'OPERATING-SYSTEM', ...UNKNOWN };
}

/** Without a package whose id begins so, trivy takes no package of the distribution for one. */
function systemOf(id: string, version: string | undefined) {
  return {
    SPDXID: `SPDXRef-OperatingSystem-${id.replace(/[^A-Za-z0-9.-]/g, '-')}`,
    name: id,
    ...(version !== undefined && { versionInfo: version }),
    primaryPackagePurpose: 'OPERATING-SYSTEM',
    ...UNKNOWN,
  };
}

function packageOf(found: ImagePackage, archives: ArchiveHashes | undefined) {
  const { name, namespace, version, supplier, source, licence, homepage, path, purl, type } = found;
  const hashes = hashesOf(found, archives);
  const full = type === 'npm' && namespace !== undefined ? `${namespace}/${name}` : name;
  return {
    SPDXID: `SPDXRef-${idOf(found)}`,
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
    // In these words, and no others, trivy looks for the source package.
    ...(source && { sourceInfo: `built package from: ${source.name} ${source.version}` }),
    comment: `found in ${path}`,
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
