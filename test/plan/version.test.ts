import { expect, test } from 'vitest';
import { sha256 } from '../../src/core/digest.ts';
import type { ImageBlock } from '../../src/plan/image-file.ts';
import { versionOf } from '../../src/plan/plan-offline.ts';

const dirtyMark = sha256('what is built');
const MARK = dirtyMark.slice('sha256:'.length, 'sha256:'.length + 8);
const CLEAN = { version: '1.2.0', commit: 'a'.repeat(40), dirty: false };
const DIRTY = { version: '1.2.1-dev.0.gaaaaaaa.dirty', commit: CLEAN.commit, dirty: true };
const NONE = { version: '0.0.0-untracked', dirty: false };
const imageOf = (image: Partial<ImageBlock>): ImageBlock => image as ImageBlock;
const released = (version: string): ImageBlock => imageOf({ version, release: { type: 'release' } as never });

test.each([
  ['a clean tree', CLEAN, released(CLEAN.version), '1.2.0'],
  ['a dirty tree', DIRTY, released(DIRTY.version), `${DIRTY.version}.${MARK}`],
  ['a dirty tree, without an image file', DIRTY, undefined, `${DIRTY.version}.${MARK}`],
  ['no tree', NONE, imageOf({ version: NONE.version }), NONE.version],
  ['no tree, without an image file', NONE, undefined, NONE.version],
  ['no tree, to be released', NONE, released(NONE.version), `${NONE.version}.${MARK}`],
  ["a version of one's own", NONE, released('7.0'), '7.0'],
  ["a version of one's own from a dirty tree", DIRTY, released('7.0'), '7.0'],
])('the version of %s', (_what, git, image, version) =>
  expect(versionOf({ image, git, dirtyMark })).toBe(version),
);
