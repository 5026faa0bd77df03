import type { SealOperation } from '../core/plugin.ts';
import { emptyFolders } from './remove.ts';

export const temporaryFiles: SealOperation = {
  name: 'temporary-files',
  version: 1,
  doc: 'Empties /tmp, /var/tmp and /run.',
  offline: async (root) => emptyFolders(root, ['/tmp', '/var/tmp', '/run']),
};
