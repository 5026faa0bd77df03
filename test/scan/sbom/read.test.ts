import { expect, test } from 'vitest';
import { takeInventory } from '../../../src/scan/packages/inventory.ts';
import { renderSbom } from '../../../src/scan/sbom.ts';
import { readBom } from '../../../src/scan/sbom/read.ts';
import { debianImage } from '../image-tree.ts';

const image = debianImage(
  { libc6: '2.36-9 glibc', curl: '7.88.1-10 curl' },
  { 'a/node_modules/@s/x/package.json': '{"name":"@s/x","version":"1.0.0","license":"MIT"}' },
);
const inventory = takeInventory(image);
const render = (format: 'spdx' | 'cyclonedx'): string =>
  renderSbom(format, inventory, { name: 'web', version: '1', epoch: 1 });

test.each(['spdx', 'cyclonedx'] as const)(
  '%s: the packages that were written, and not the image',
  (format) => {
    const found = readBom(render(format), 'x');
    expect(found).toEqual([
      { type: 'deb', name: 'curl', version: '7.88.1-10' },
      { type: 'deb', name: 'libc6', version: '2.36-9' },
      { type: 'npm', name: '@s/x', version: '1.0.0', licence: 'MIT' },
    ]);
  },
);

test.each([
  ['{', /x\.json is no bill of materials/],
  ['{}', /neither packages nor components/],
  ['{"packages":[null]}', /no bill of materials/],
])('%s is refused', (text, message) => expect(() => readBom(text, 'x.json')).toThrow(message));

test('what has no package URL is no package', () => {
  const components = [
    { name: 'a', version: '1' },
    { name: 'b', version: '1', purl: 'pkg:deb/b@1' },
    { purl: 7 },
  ];
  expect(readBom(JSON.stringify({ components }), 'x').map((p) => p.name)).toEqual(['b']);
});
