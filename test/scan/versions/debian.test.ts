import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareDebianVersions, parseDebianVersion } from '../../../src/scan/versions/debian.ts';
import { debianVersion } from './debian-versions.ts';

const sign = (a: string, b: string): number => Math.sign(compareDebianVersions(a, b));

describe('the order of Debian versions', () => {
  test.each([
    ['1.0', '1.0', 0],
    ['1.0', '1.0-0', 0],
    ['0:1.0', '1.0', 0],
    ['1.0-1', '1.00-01', 0],
    ['1.0~rc1', '1.0', -1],
    ['1.0~~', '1.0~', -1],
    ['1.0~~a', '1.0~', -1],
    ['1.0-1', '1.0-1~bpo12+1', 1],
    ['1.0-1', '1.0-1+b1', -1],
    ['1:0.9', '1.0', 1],
    ['1.9', '1.10', -1],
    ['1.0a', '1.0+', -1],
    ['1.0a', '1.0.1', -1],
    ['2.36-9+deb12u9', '2.36-9+deb12u10', -1],
    ['1.2-3-4', '1.2-3-10', -1],
    ['99999999999999999999', '100000000000000000000', -1],
  ])('%s and %s: %i', (a, b, expected) => {
    expect(sign(a, b)).toBe(expected);
    expect(sign(b, a)).toBe(0 - expected);
  });

  test('the last hyphen separates the revision, the first colon the epoch', () => {
    expect(parseDebianVersion('1:2.0-rc:1-3')).toEqual({ epoch: '1', upstream: '2.0-rc:1', revision: '3' });
  });

  test('is a total order', () => {
    fc.assert(
      fc.property(debianVersion, debianVersion, debianVersion, (a, b, c) => {
        expect(sign(a, b)).toBe(0 - sign(b, a));
        const [x, y, z] = [a, b, c].sort(compareDebianVersions) as [string, string, string];
        expect(sign(x, y)).toBeLessThanOrEqual(0);
        expect(sign(y, z)).toBeLessThanOrEqual(0);
        expect(sign(x, z)).toBeLessThanOrEqual(0);
      }),
    );
  });
});
