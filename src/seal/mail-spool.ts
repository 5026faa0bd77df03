import type { SealOperation } from '../core/plugin.ts';
import { emptyFolders } from './remove.ts';

export const mailSpool: SealOperation = {
  name: 'mail-spool',
  version: 1,
  doc: 'Removes mail that the build caused.',
  offline: async (root) => emptyFolders(root, ['/var/mail', '/var/spool/mail']),
};
