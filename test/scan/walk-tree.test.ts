import { expect, test } from 'vitest';
import { identityOf } from '../../src/scan/walk-tree.ts';

const SECOND = 1_000_000_000n;
const file = { ino: 12n, ctimeNs: 100n * SECOND, size: 7n };
const origin = { id: 'sha256:a', takenNs: 200n * SECOND };

test.each([
  ['changed by the kernel', { ...file, ctimeNs: 5n }, undefined, '12 5 7'],
  ['changed by the kernel, of whichever image', { ...file, ctimeNs: 5n }, origin, '12 5 7'],
  ['written by who made some image', file, undefined, undefined],
  ['written by who made this image', file, origin, '12 100000000000 7 sha256:a'],
  ['changed since, to the second', { ...file, ctimeNs: 200n * SECOND }, origin, undefined],
])('the identity of a file %s', (_, stat, from, identity) => {
  expect(identityOf(stat, from).identity).toBe(identity);
});
