import { expect, test } from 'vitest';
import { grownTable } from '../../src/host/grow-root.ts';

const GPT = `label: gpt
label-id: 0F1B3C5A
device: disk
unit: sectors
first-lba: 34
last-lba: 2097118
sector-size: 512

disk1 : start=        2048, size=        2048, type=21686148-6449-6E6F-744E-656564454649
disk2 : start=        4096, size=     2091008, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, name="root, size=1"
`;

test('the last partition goes up to the end', () => {
  const grown = grownTable(GPT, 4096);
  expect(grown).toContain(
    'disk2 : start=        4096, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, name="root, size=1"',
  );
  expect(grown).toContain('disk1 : start=        2048, size=        2048,');
  expect(grown).not.toContain('last-lba');
});

test.each([
  ['one that others lie behind', 2048],
  ['one that is not there', 64],
])('%s stays', (_what, start) => expect(grownTable(GPT, start)).toBeUndefined());
