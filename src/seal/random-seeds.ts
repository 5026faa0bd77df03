import { inHomes, matches } from './find.ts';
import { operation } from './operation.ts';

const PATTERNS = [
  '/var/lib/systemd/random-seed',
  '/var/lib/urandom/random-seed',
  '/var/lib/random-seed',
  '/boot/loader/random-seed',
  '/boot/efi/loader/random-seed',
  '/efi/loader/random-seed',
];

export const randomSeeds = operation(
  'random-seeds',
  2,
  'Removes saved random seeds, also those of boot loaders on the ESP: equal seeds on clones are no seeds.',
  (root) => matches(root, [...PATTERNS, ...inHomes(root, ['.gnupg/random_seed', '.rnd'])]),
);
