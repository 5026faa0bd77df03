import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { IngotError } from '../core/error.ts';
import { SYSTEM_PATH } from '../host/tools.ts';
import { packageRoot } from './package-root.ts';

/** A Debian package that Ingot uses. */
export interface SystemPackage {
  readonly name: string;
  /** A command on the PATH, or an absolute path, that shows it is there. */
  readonly probe: string;
  /** What it is for. */
  readonly purpose: string;
}

/** Reads the list's text: package, probe and purpose, separated by blanks; `#` starts a comment line. */
export function parseSystemPackages(text: string): SystemPackage[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const match = /^(\S+)\s+(\S+)\s+(\S.*)$/.exec(line);
      if (!match)
        throw new IngotError('app/bad-package-list', `expected package, probe and purpose, got: ${line}`, {
          hint: 'Install Ingot again: scripts/system-packages.txt is damaged.',
        });
      const [, name, probe, purpose] = match as unknown as [string, string, string, string];
      return { name, probe, purpose };
    });
}

/** What building needs (the packages of the test suite left out), from the list shared with scripts/prepare.sh. */
export function systemPackages(): SystemPackage[] {
  const text = readFileSync(join(packageRoot(), 'scripts/system-packages.txt'), 'utf8');
  return parseSystemPackages(text).filter(({ purpose }) => !purpose.startsWith('tests:'));
}

/** Whether a package's command or file is there. Commands are looked for where builds look for them. */
export function isInstalled({ probe }: SystemPackage, path: string = SYSTEM_PATH): boolean {
  const candidates = probe.startsWith('/')
    ? [probe]
    : path.split(delimiter).map((folder) => join(folder, probe));
  const mode = probe.startsWith('/') ? constants.R_OK : constants.X_OK;
  return candidates.some((candidate) => {
    try {
      accessSync(candidate, mode);
      return true;
    } catch {
      return false;
    }
  });
}
