import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { IngotError } from '../../../src/core/error.ts';
import { layerTar } from '../../../src/disk/formats/layer-tar.ts';
import { type PaxRecord, paxMember } from '../../../src/disk/formats/pax.ts';
import { tarHeader, tarNumber, tarPadding, withChecksum } from '../../../src/disk/formats/tar-header.ts';

const EPOCH = 1_700_000_000;
const END = Buffer.alloc(10_240);

function member(name: string, data = '', records: PaxRecord[] = []): Buffer {
  const header = tarHeader({ name, size: data.length, mtime: 1, type: name.endsWith('/') ? '5' : '0' });
  const pax = records.length > 0 ? paxMember('x', records, 1) : Buffer.alloc(0);
  return Buffer.concat([pax, header, Buffer.from(data), tarPadding(data.length)]);
}

/** What overlayfs leaves for a deleted file. */
function deleted(name: string, device = 0): Buffer {
  const header = tarHeader({ name, size: 0, mtime: 1 });
  header.write('3', 156);
  tarNumber(header, 329, 8, 0);
  tarNumber(header, 337, 8, device);
  return withChecksum(header);
}

const xattr = (name: string, value: string | Buffer): PaxRecord => [
  `SCHILY.xattr.${name}`,
  Buffer.from(value),
];

async function rewritten(parts: Buffer[], chunk = 700): Promise<Buffer> {
  const bytes = Buffer.concat(parts);
  async function* source() {
    for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
  }
  const out: Buffer[] = [];
  for await (const piece of layerTar(source(), EPOCH)) out.push(Buffer.from(piece));
  return Buffer.concat(out);
}

async function list(archive: Buffer) {
  const found: [string, string, string][] = [];
  for await (const entry of Readable.from([archive]).pipe(extract())) {
    let data = '';
    for await (const chunk of entry) data += String(chunk);
    found.push([entry.header.name, entry.header.type ?? '', data]);
  }
  return found;
}

describe('layerTar', () => {
  test('turns overlayfs marks into whiteouts and keeps the rest', async () => {
    const long = `${'d'.repeat(60)}/${'e'.repeat(60)}`;
    const archive = await rewritten([
      member('etc/'),
      deleted('etc/motd'),
      deleted('etc/null-like', 3),
      member('srv/', '', [xattr('trusted.overlay.opaque', 'y'), xattr('trusted.overlay.impure', 'y')]),
      member('srv/page', 'hello '.repeat(300)),
      paxMember('x', [['path', Buffer.from(`${long}/gone`)]], 1),
      deleted('short'),
      END,
    ]);
    expect(await list(archive)).toEqual([
      ['etc/', 'directory', ''],
      ['etc/.wh.motd', 'file', ''],
      ['etc/null-like', 'character-device', ''],
      ['srv/', 'directory', ''],
      ['srv/.wh..wh..opq', 'file', ''],
      ['srv/page', 'file', 'hello '.repeat(300)],
      [`${long}/.wh.gone`, 'file', ''],
    ]);
    expect(archive.includes('trusted.overlay')).toBe(false);
    expect(archive.subarray(-1024).equals(Buffer.alloc(1024))).toBe(true);
  });

  test('keeps binary attributes byte for byte', async () => {
    const capability = Buffer.from('0100000200200000ff00800000000000', 'hex');
    const archive = await rewritten([member('ping', 'x', [xattr('security.capability', capability)]), END]);
    expect(
      archive.includes(Buffer.concat([Buffer.from('SCHILY.xattr.security.capability='), capability])),
    ).toBe(true);
  });

  test('does not depend on how the stream is cut', async () => {
    const parts = [
      member('a', 'x'.repeat(2000), [xattr('user.a', 'b')]),
      deleted('b'),
      member('c', 'y'),
      END,
    ];
    const whole = await rewritten(parts, 1 << 20);
    for (const chunk of [1, 511, 512, 513, 4096]) {
      expect((await rewritten(parts, chunk)).equals(whole), `pieces of ${chunk}`).toBe(true);
    }
  });

  test.each([
    ['a name that means deleted', [member('etc/.wh.passwd'), END]],
    ['a redirected folder', [member('a/', '', [xattr('trusted.overlay.redirect', '/b')]), END]],
    ['a file without its data', [member('a', '', [xattr('trusted.overlay.metacopy', '')]), END]],
    ['an extended header without measure', [withSize(paxMember('x', [], 1), 2 ** 33), END]],
  ])('refuses %s', async (_, parts) => {
    await expect(rewritten(parts)).rejects.toMatchObject({ code: 'output/unsupported-layer' });
  });

  test('refuses an archive that ends within a member', async () => {
    await expect(rewritten([member('a', 'x'.repeat(2000)).subarray(0, 1024)])).rejects.toThrow(IngotError);
  });
});

function withSize(headerBlock: Buffer, size: number): Buffer {
  const header = Buffer.from(headerBlock);
  tarNumber(header, 124, 12, size);
  return withChecksum(header);
}
