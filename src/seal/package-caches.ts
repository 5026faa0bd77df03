import type { Edit } from './edit.ts';
import { contents, inHomes, matches } from './find.ts';
import { operation } from './operation.ts';

const PATTERNS = [
  '/var/cache/apt/archives/*.deb',
  '/var/cache/apt/archives/lock',
  '/var/cache/apt/archives/partial/*',
  '/var/cache/apt/*.bin',
  '/var/lib/apt/lists/partial/*',
  '/var/lib/apt/mirrors/partial/*',
  '/var/lib/apt/periodic/*',
  '/var/cache/debconf/*-old',
  '/var/cache/dnf/*',
  '/var/cache/libdnf5/*',
  '/var/cache/yum/*',
  '/var/cache/zypp/*',
  '/var/cache/apk/*',
  // A database of the manual pages' dates; man-db's timer makes it anew.
  '/var/cache/man/*',
];

const IN_HOMES = [
  '.cache/pip',
  '.cache/uv',
  '.cache/yarn',
  '.cache/composer',
  '.cache/go-build',
  '.npm/_cacache',
  '.npm/_logs',
  '.npm/_update-notifier-last-checked',
];

export const packageCaches = operation(
  'package-caches',
  2,
  'Removes downloaded packages and indexes: they are stale when the image starts, and weigh.',
  (root): Edit[] => [
    // apt's own user writes to `partial`, which therefore stays.
    ...contents(root, ['/var/lib/apt/lists', '/var/lib/apt/mirrors']).filter(
      (e) => !e.path.endsWith('/partial'),
    ),
    ...matches(root, PATTERNS),
    ...matches(root, inHomes(root, IN_HOMES)),
  ],
);
