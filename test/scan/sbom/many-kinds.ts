import type { Rootfs } from '../../../src/core/rootfs.ts';
import { debianImage } from '../image-tree.ts';

/** An image with what formats stumble over: odd licences, addresses, suppliers, scopes and characters. */
export function manyKinds(): Rootfs {
  const copyright = (licence: string): string =>
    `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: ${licence}\n`;
  return debianImage(
    { 'libstdc++6': '12.2.0-14+deb12u1 gcc-12', 'a-b': '1:2.0~rc1-1', tzdata: '2024a-0 tzdata (2024a)' },
    {
      'usr/share/doc/libstdc++6/copyright': copyright('GPL-3+ with GCC exception or (Expat and "odd" name)'),
      'usr/share/doc/tzdata/copyright': copyright('public-domain'),
      'srv/node_modules/@ü/x/package.json':
        '{"name":"@ü/x y","version":"1.0.0-\\ud800","license":"SEE LICENSE IN x","homepage":"https://a b/"}',
      'srv/node_modules/y/package.json':
        '{"name":"y","version":"1","license":{"type":"MIT"},"homepage":"https://y.example/#top"}',
      'srv/a.dist-info/METADATA': 'Name: A\nVersion: 1+local\nLicense-Expression: MIT OR Apache-2.0\n',
    },
  );
}
