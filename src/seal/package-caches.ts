import type { SealOperation } from '../core/plugin.ts';
import { homes, removeMatches } from './remove.ts';

export const packageCaches: SealOperation = {
  name: 'package-caches',
  version: 1,
  doc: 'Removes downloaded packages and indexes: they are stale when the image starts, and weigh.',
  offline: async (root) =>
    removeMatches(root, [
      '/var/cache/apt/archives/*.deb',
      '/var/cache/apt/archives/partial/*',
      '/var/cache/apt/*.bin',
      '/var/lib/apt/lists/*',
      '/var/lib/apt/mirrors/*',
      '/var/cache/debconf/*-old',
      '/var/cache/dnf/*',
      '/var/cache/yum/*',
      '/var/cache/zypp/*',
      '/var/cache/apk/*',
      '/var/cache/man/*',
      ...homes(root).flatMap((home) => [
        `${home}/.cache/pip`,
        `${home}/.npm/_cacache`,
        `${home}/.cache/go-build`,
      ]),
    ]),
};
