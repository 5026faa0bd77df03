import { describe, expect, test } from 'vitest';
import { ovfDescriptor } from '../../../src/disk/formats/ovf.ts';
import { SEED } from './disks.ts';
import { OVA } from './options.ts';

function descriptorOf(stamp: Record<string, string>): string {
  const sizes = { size: 1 << 30, length: 12_345, populated: 1 << 20 };
  return ovfDescriptor({
    name: 'web',
    diskName: 'web-disk1.vmdk',
    ...sizes,
    options: OVA,
    seed: SEED,
    stamp,
  });
}

describe('ovfDescriptor', () => {
  test.each([
    ['plain keys', { name: 'web', version: '1.2.0', commit: 'abc' }, 'commit'],
    [
      "OCI's keys",
      {
        'org.opencontainers.image.title': 'web',
        'org.opencontainers.image.version': '1.2.0',
        'org.opencontainers.image.revision': 'abc',
      },
      'org_opencontainers_image_revision',
    ],
  ])('carries a stamp with %s', (_, stamp, key) => {
    const text = descriptorOf(stamp);
    expect(text).toContain('<Product>web</Product>\n      <Version>1.2.0</Version>');
    expect(text.match(/<Property .*>/g)).toEqual([
      `<Property ovf:key="${key}" ovf:type="string" ovf:userConfigurable="false" ovf:value="abc"/>`,
    ]);
  });

  test('children of Item and System are in the order of their names, as the schemas want', () => {
    const parts = descriptorOf({}).match(/<(Item|System)>[\s\S]*?<\/\1>/g) ?? [];
    expect(parts).toHaveLength(6);
    for (const part of parts) {
      const names = [...part.matchAll(/<(?:rasd|vssd):(\w+)>/g)].map((match) => String(match[1]));
      expect(names).toEqual([...names].sort());
    }
  });

  test('values that XML cannot carry, or reads as markup, do no harm', () => {
    const text = descriptorOf({ name: '<&">\u0000\ud800', note: ']]>\u{1f600}' });
    expect(text).toContain('<Product>&#60;&#38;&#34;&#62;\ufffd\ufffd</Product>');
    expect(text).toContain('ovf:value="]]&#62;\u{1f600}"');
  });
});
