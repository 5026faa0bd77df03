import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { read, root, trackedFiles } from './source-files.ts';

const files = trackedFiles().filter((path) =>
  statSync(join(root, path), { throwIfNoEntry: false })?.isFile(),
);

/** Hosts of the package archives and registries that this machine uses, but for the public ones. */
function mirrorsOfThisMachine(): string[] {
  const texts = [execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8', cwd: root })];
  for (const folder of ['/etc/apt', '/etc/apt/sources.list.d', '/etc/apt/apt.conf.d']) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isFile() && !entry.name.endsWith('.gpg'))
        texts.push(readFileSync(join(folder, entry.name), 'utf8').replace(/^\s*(#|\/\/).*$/gm, ''));
    }
  }
  const hosts = texts.flatMap((text) =>
    [...text.matchAll(/https?:\/\/(?:[^/\s@"]+@)?([\w.-]+)/g)].map((m) => m[1] as string),
  );
  return [...new Set(hosts)].filter(
    (host) => !/(^|\.)(debian\.org|npmjs\.org|github\.com|localhost)$/.test(host),
  );
}

describe('what is committed names nothing of the machine it was made on', () => {
  // This file must not find itself.
  const workplace = `/${'work'}/`;

  test.each([
    ['a path of the workplace', [workplace]],
    ['a mirror', mirrorsOfThisMachine()],
    ['the host name', hostname().length > 8 ? [hostname()] : []],
    [
      'a credential',
      [`//registry${''}:_authToken`, 'BEGIN OPENSSH PRIVATE KEY'.replace('OPENSSH ', `${'OPENSSH'} `)],
    ],
  ])('%s', (_what, words) => {
    const self = 'test/project/commits.test.ts';
    const found = files
      .filter((path) => path !== self)
      .filter((path) => {
        const text = read(path);
        return words.some((word) => text.includes(word));
      });
    expect(found).toEqual([]);
  });
});

test('the lockfile pins by hash and names no registry', () => {
  const lock = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { resolved?: string; integrity?: string }>;
  };
  const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
  expect(
    packages.filter(([, entry]) => entry.resolved !== undefined || entry.integrity === undefined),
  ).toEqual([]);
});

test('dependencies are pinned to one version', () => {
  const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
  const versions = { ...manifest.dependencies, ...manifest.devDependencies };
  expect(Object.entries(versions).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});
