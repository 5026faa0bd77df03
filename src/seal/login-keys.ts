import { inHomes, matches } from './find.ts';
import { operation } from './operation.ts';

const FILES = [
  '.ssh/authorized_keys',
  '.ssh/authorized_keys2',
  '.ssh/known_hosts',
  '.ssh/known_hosts.old',
  '.ssh/id_*',
  '.ssh/agent*',
];

/** Who adds keys for good does so on first boot, or names the operation in `skip`: nobody can tell them apart here. */
export const loginKeys = operation(
  'login-keys',
  1,
  'Removes authorized keys, known hosts and private keys from every home: whoever built the image must not get into its clones.',
  (root) => matches(root, inHomes(root, FILES)),
);
