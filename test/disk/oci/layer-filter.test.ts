import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ImageTree } from '../../../src/disk/oci/image-tree.ts';
import { filterLayer } from '../../../src/disk/oci/layer-filter.ts';
import { readTar } from '../../../src/disk/oci/tar-reader.ts';
import { archiveOf, inPieces, type Member } from './archives.ts';

const LIMITS = { members: 50, bytes: 1000 };

/** What comes out of layers, the last one's members as `type path -> link = content`. */
async function filtered(...layers: Member[][]): Promise<string[]> {
  const tree = new ImageTree();
  let lines: string[] = [];
  for (const [i, members] of layers.entries()) {
    const counts = { members: 0, bytes: 0, devices: 0 };
    const chunks: Buffer[] = [];
    for await (const chunk of filterLayer(readTar(inPieces(archiveOf(members))), tree, i, LIMITS, counts))
      chunks.push(chunk);
    lines = [];
    for await (const m of readTar(inPieces(Buffer.concat(chunks)))) {
      let text = '';
      for await (const chunk of m.content()) text += chunk.toString();
      const attributes = [...m.xattrs].map(([k, v]) => ` ${k}=${v.toString()}`).join('');
      lines.push(
        `${m.type} ${m.name}${m.linkName && ` -> ${m.linkName}`}${text && ` = ${text}`}${attributes}`,
      );
    }
  }
  return lines;
}

const folder = (path: string): Member => ({ path, type: '5' });
const link = (path: string, linkName: string): Member => ({ path, type: '2', linkName });

describe('a layer becomes an upper folder', () => {
  test('folders on the way come first, in the words of the layer below', async () => {
    expect(await filtered([{ path: 'a/b', data: 'x' }])).toEqual(['5 ./', '5 ./a', '0 ./a/b = x']);
    expect(await filtered([folder('a'), { path: 'a/1' }], [{ path: './/a/./2' }])).toEqual([
      '5 ./',
      '5 ./a',
      '0 ./a/2',
    ]);
  });

  test.each<[string, Member[], Member[], string[]]>([
    ['a whiteout of a file', [{ path: 'a/f' }], [{ path: 'a/.wh.f' }], ['5 ./', '5 ./a', '3 ./a/f']],
    ['a whiteout of nothing', [{ path: 'a/f' }], [{ path: 'b/.wh.f' }, { path: '.wh.x' }], ['5 ./']],
    [
      'a whiteout and a new file',
      [{ path: 'f' }],
      [{ path: '.wh.f' }, { path: 'f', data: '2' }],
      ['5 ./', '0 ./f = 2'],
    ],
    [
      'a whiteout and a new folder, whichever comes first',
      [folder('d'), { path: 'd/old' }],
      [folder('d'), { path: 'd/new' }, { path: '.wh.d' }],
      ['5 ./', '5 ./d', '0 ./d/new', '5 ./d trusted.overlay.opaque=y'],
    ],
    [
      'an opaque mark',
      [folder('d'), { path: 'd/old' }],
      [{ path: 'd/.wh..wh..opq' }, { path: 'd/new' }],
      ['5 ./', '5 ./d', '0 ./d/new', '5 ./d trusted.overlay.opaque=y'],
    ],
    ['aufs leftovers', [folder('d')], [{ path: 'd/.wh..wh.plnk' }, { path: '.wh...' }], ['5 ./']],
  ])('%s', async (_what, below, above, expected) => {
    expect(await filtered(below, above)).toEqual(expected);
  });

  test.each<[string, Member[][], string[]]>([
    [
      'of the same layer',
      [[folder('usr'), link('lib', 'usr'), { path: 'lib/x' }]],
      ['5 ./', '5 ./usr', '2 ./lib -> usr', '0 ./usr/x'],
    ],
    [
      'of a lower layer',
      [[folder('usr'), link('lib', '/usr')], [{ path: 'lib/x' }]],
      ['5 ./', '5 ./usr', '0 ./usr/x'],
    ],
    [
      'that lead out end at the root',
      [[link('up', '../../..'), { path: 'up/etc/passwd' }]],
      ['5 ./', '2 ./up -> ../../..', '5 ./etc', '0 ./etc/passwd'],
    ],
  ])('links in folders places: %s', async (_what, layers, expected) => {
    expect(await filtered(...layers)).toEqual(expected);
  });

  test('a folder takes the place of a link that a lower layer had', async () => {
    expect(await filtered([link('d', 'e')], [folder('d'), { path: 'd/x' }])).toEqual([
      '5 ./',
      '5 ./d',
      '0 ./d/x',
    ]);
  });

  test('devices and attributes that mean something to this machine stay out', async () => {
    const xattrs = {
      'trusted.overlay.redirect': '/etc',
      'security.selinux': 's',
      'user.note': 'n',
      'security.capability': 'c',
    };
    expect(
      await filtered([
        { path: 'dev/sda', type: '3' },
        { path: 'f', xattrs },
      ]),
    ).toEqual(['5 ./', '0 ./f user.note=n security.capability=c']);
  });

  test('hard links name files of the layer as they are unpacked', async () => {
    expect(
      await filtered([
        folder('usr'),
        link('lib', 'usr'),
        { path: 'lib/a' },
        { path: 'b', type: '1', linkName: '/lib/a' },
      ]),
    ).toContain('1 ./b -> ./usr/a');
  });

  test.each<[string, Member[][], RegExp]>([
    ['leads out', [[{ path: '../x' }]], /leads out/],
    ['leads out in the middle', [[{ path: 'a/../../x' }]], /leads out/],
    ['is a whiteout that leads out', [[{ path: 'a' }], [{ path: '../.wh.a' }]], /leads out/],
    [
      'is a hard link that leads out',
      [[{ path: 'x', type: '1', linkName: '../../etc/passwd' }]],
      /leads out/,
    ],
    ['is a hard link to nothing', [[{ path: 'x', type: '1', linkName: 'y' }]], /no file of the same layer/],
    [
      'is a hard link to a lower layer',
      [[{ path: 'y' }], [{ path: 'x', type: '1', linkName: 'y' }]],
      /no file of the same layer/,
    ],
    ['lies in a file', [[{ path: 'a' }, { path: 'a/b' }]], /lies in a file/],
    ['lies behind links in a circle', [[link('a', 'b'), link('b', 'a'), { path: 'a/x' }]], /40 links/],
    ['has a long name', [[{ path: 'x'.repeat(256) }]], /longer than Linux/],
    ['has no owner', [[{ path: 'x', uid: 2 ** 32 - 1 }]], /no user or group/],
    [
      'is too much',
      [
        [
          { path: 'x', data: 'x'.repeat(600) },
          { path: 'y', data: 'x'.repeat(600) },
        ],
      ],
      /more than 1000 bytes/,
    ],
    ['is one of too many', [Array.from({ length: 51 }, (_, i) => ({ path: `f${i}` }))], /more than 50 files/],
    ['is the root, and no folder', [[{ path: './', type: '2', linkName: '/etc' }]], /root is no folder/],
  ])('a member that %s is refused', async (_what, layers, message) => {
    const error = await filtered(...layers).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'disk/bad-layer' });
    expect((error as Error).message).toMatch(message);
  });

  test('whatever the names: what comes out is below the folder, and never behind a link', async () => {
    const part = fc.constantFrom('a', 'b', '..', '.', '', '.wh.a', '.wh..wh..opq');
    const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    const member = fc.record({
      path: name,
      linkName: name,
      type: fc.constantFrom<NonNullable<Member['type']>>('0', '1', '2', '5', '6', '3'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(member, { maxLength: 8 }), { maxLength: 3 }), async (layers) => {
        const lines = await filtered(...layers).catch((error: { code?: string }) => {
          expect(error.code).toBe('disk/bad-layer');
          return [];
        });
        const kinds = new Map<string, string>();
        for (const line of lines) {
          const [type = '', path = ''] = line.split(' ');
          expect(path).toMatch(/^\.\//);
          expect(path.split('/')).not.toContain('..');
          const up = path.slice(0, path.lastIndexOf('/'));
          if (up !== '.') expect(kinds.get(up)).toBe('5');
          kinds.set(path, type);
        }
      }),
      { numRuns: 300 },
    );
  });
});
