import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';
import type { Rootfs } from '../../src/core/rootfs.ts';
import { openRootfs } from '../../src/host/index.ts';

const made: string[] = [];

afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** A folder with these files, removed after the test. */
export function folderOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const dir = mkdtempSync(join(tmpdir(), 'image-'));
  made.push(dir);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  }
  return dir;
}

export function imageOf(files: Readonly<Record<string, string | Uint8Array>>): Rootfs {
  return openRootfs(folderOf(files));
}

export const BOOKWORM = `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
ID=debian
VERSION_ID="12"
VERSION_CODENAME=bookworm
`;

/** An entry of dpkg's database. */
export function dpkgEntry(fields: Readonly<Record<string, string>>): string {
  const all = { Status: 'install ok installed', Architecture: 'amd64', Maintainer: 'A <a@b.c>', ...fields };
  return `${Object.entries(all)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('')}\n`;
}

/** A Debian 12 with these packages in dpkg's database, by name, with version and, after a blank, source. */
export function debianImage(
  packages: Readonly<Record<string, string>>,
  more: Readonly<Record<string, string>> = {},
): Rootfs {
  const status = Object.entries(packages).map(([name, text]) => {
    const [version = '', ...source] = text.split(' ');
    return dpkgEntry({
      Package: name,
      Version: version,
      ...(source.length > 0 && { Source: source.join(' ') }),
    });
  });
  return imageOf({ 'etc/os-release': BOOKWORM, 'var/lib/dpkg/status': status.join(''), ...more });
}
