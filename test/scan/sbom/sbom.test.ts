import { describe, expect, test } from 'vitest';
import { takeInventory } from '../../../src/scan/packages/inventory.ts';
import { inventoryForSbom, renderSbom, type SbomFormat } from '../../../src/scan/sbom.ts';
import { debianImage, imageOf } from '../image-tree.ts';

const subject = { name: 'web', version: '1.0.0', epoch: 1_700_000_000 };
const image = () =>
  debianImage(
    { libc6: '2.36-9 glibc', curl: '7.88.1-10 curl' },
    {
      'usr/share/doc/curl/copyright':
        'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: curl and BSD-odd\n',
      'a/node_modules/@s/x/package.json':
        '{"name":"@s/x","version":"1.0.0","license":"MIT","homepage":"not an address"}',
    },
  );
const archives = new Map([['curl 7.88.1-10 amd64', 'ab'.repeat(32)]]);
const render = (format: SbomFormat): string => renderSbom(format, takeInventory(image()), subject, archives);

test.each(['spdx', 'cyclonedx'] as const)('%s: the same image gives the same bytes', (format) => {
  expect(render(format)).toBe(render(format));
});

test('SPDX', () => {
  const document = JSON.parse(render('spdx'));
  expect(document).toMatchObject({
    spdxVersion: 'SPDX-2.3',
    creationInfo: { created: '2023-11-14T22:13:20Z' },
    packages: [
      { SPDXID: 'SPDXRef-Image', name: 'web' },
      { SPDXID: 'SPDXRef-OperatingSystem-debian', name: 'debian', versionInfo: '12' },
      {
        name: 'curl',
        licenseDeclared: 'curl AND LicenseRef-BSD-odd',
        checksums: [{ algorithm: 'SHA256', checksumValue: 'ab'.repeat(32) }],
        supplier: 'Organization: A (a@b.c)',
      },
      { name: 'libc6', sourceInfo: 'built package from: glibc 2.36-9' },
      { name: '@s/x', licenseDeclared: 'MIT' },
    ],
    hasExtractedLicensingInfos: [{ licenseId: 'LicenseRef-BSD-odd' }],
  });
  expect(document.relationships).toHaveLength(5);
  expect(new Set(document.packages.map((p: { SPDXID: string }) => p.SPDXID)).size).toBe(5);
});

test('CycloneDX', () => {
  expect(JSON.parse(render('cyclonedx'))).toMatchObject({
    specVersion: '1.6',
    serialNumber: expect.stringMatching(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    ),
    metadata: { component: { type: 'container', name: 'web', version: '1.0.0' } },
    components: [
      { type: 'operating-system', name: 'debian', version: '12' },
      {
        name: 'curl',
        licenses: [{ expression: 'curl AND LicenseRef-BSD-odd' }],
        hashes: [{ alg: 'SHA-256' }],
      },
      {
        name: 'libc6',
        properties: expect.arrayContaining([{ name: 'ingot:package:source', value: 'glibc' }]),
      },
      { group: '@s', name: 'x', purl: 'pkg:npm/%40s/x@1.0.0' },
    ],
  });
});

test('trivy finds the source package of a Debian package by its own properties', () => {
  const inventory = takeInventory(debianImage({ zlib1g: '1:1.2.13.dfsg-1+b1 zlib (1:1.2.13.dfsg-1)' }));
  const [, zlib] = JSON.parse(renderSbom('cyclonedx', inventory, subject)).components;
  const ofTrivy = zlib.properties.filter((p: { name: string }) => p.name.startsWith('aquasecurity:trivy:'));
  expect(ofTrivy.map((p: { name: string; value: string }) => `${p.name.slice(19)}=${p.value}`)).toEqual([
    'SrcName=zlib',
    'SrcVersion=1.2.13.dfsg',
    'SrcRelease=1',
    'SrcEpoch=1',
  ]);
});

describe('a bill of materials', () => {
  test('is refused where packages may be missing', () => {
    expect(() => inventoryForSbom(imageOf({ 'var/lib/dpkg/status': 'Package: a\n' }))).toThrow(
      expect.objectContaining({ code: 'scan/unreadable-packages' }),
    );
  });
});
