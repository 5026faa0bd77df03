import type { SealOperation } from '../core/plugin.ts';
import { homes, removeMatches } from './remove.ts';

export const loginKeys: SealOperation = {
  name: 'login-keys',
  version: 1,
  doc: 'Removes authorized keys, known hosts and private keys from every home: whoever built the image must not get into its clones.',
  offline: async (root) =>
    removeMatches(
      root,
      homes(root).flatMap((home) =>
        ['authorized_keys', 'authorized_keys2', 'known_hosts', 'known_hosts.old', 'id_*'].map(
          (file) => `${home}/.ssh/${file}`,
        ),
      ),
    ),
};
