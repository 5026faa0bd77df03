import { removal } from './remove.ts';

export const randomSeeds = removal(
  'random-seeds',
  1,
  'Removes saved random seeds, also those of boot loaders on the ESP: equal seeds on clones are no seeds.',
  [
    '/var/lib/systemd/random-seed',
    '/var/lib/urandom/random-seed',
    '/var/lib/random-seed',
    '/boot/loader/random-seed',
    '/boot/efi/loader/random-seed',
    '/efi/loader/random-seed',
  ],
);
