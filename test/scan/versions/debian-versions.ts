import fc from 'fast-check';

/** Pieces in which Debian's order has its corners: tildes, leading zeros, letters beside digits, repeated hyphens. */
const piece = fc.oneof(
  fc.constantFrom(
    '~',
    '~~',
    '.',
    '+',
    '-',
    'a',
    'Z',
    'rc',
    'deb12u',
    'dfsg',
    '0',
    '00',
    '1',
    '01',
    '9',
    '10',
    '010',
  ),
  fc.integer({ min: 0, max: 300 }).map(String),
  fc.constantFrom('+b1', '~bpo12+1', '.git20240101', '~rc1', '-1', '-0', '.0'),
);
const part = (max: number): fc.Arbitrary<string> =>
  fc.array(piece, { maxLength: max }).map((p) => p.join(''));

/** Versions that dpkg takes (deb-version(7)): the upstream part begins with a digit, the revision has no hyphen. */
export const debianVersion: fc.Arbitrary<string> = fc
  .tuple(
    fc.option(fc.integer({ min: 0, max: 12 }), { freq: 3 }),
    fc.integer({ min: 0, max: 12 }),
    part(5),
    fc.option(part(3).map((text) => text.replaceAll('-', '') || '1')),
  )
  .map(([epoch, first, rest, revision]) => {
    // Without a revision, the last hyphen would begin one, and an empty one is no version.
    const upstream = `${first}${rest}`.replace(/-+$/, '');
    return `${epoch === null ? '' : `${epoch}:`}${upstream}${revision === null ? '' : `-${revision}`}`;
  });

/** Pairs of which many differ in one place only, where mistakes show. */
export const debianPair: fc.Arbitrary<readonly [string, string]> = fc.oneof(
  fc.tuple(debianVersion, debianVersion),
  fc
    .tuple(debianVersion, part(2))
    .map(([v, tail]): [string, string] => [v, `${v}${tail.replaceAll('-', '.')}`]),
  fc
    .tuple(debianVersion, fc.nat(), fc.constantFrom('~', '0', '1', 'a', '.', '+'))
    .map(([v, at, c]): [string, string] => {
      const place = v.search(/\d/) + 1 + (at % v.length);
      const colon = v.indexOf(':') + 2;
      const where = Math.max(place, colon);
      return [v, v.slice(0, where) + c + v.slice(where)];
    }),
);
