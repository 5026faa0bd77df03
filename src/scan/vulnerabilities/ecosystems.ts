import type { OsRelease } from '../packages/os-release.ts';
import type { ImagePackage } from '../packages/package.ts';
import { compareAlpineVersions } from '../versions/alpine.ts';
import { compareDebianVersions } from '../versions/debian.ts';
import { comparePythonVersions } from '../versions/python.ts';
import { compareRpmVersions } from '../versions/rpm.ts';
import { compareSemanticVersions } from '../versions/semantic.ts';

type Compare = (a: string, b: string) => number | undefined;

const COMPARATORS: ReadonlyMap<string, Compare> = new Map<string, Compare>([
  ['Debian', compareDebianVersions],
  ['Ubuntu', compareDebianVersions],
  ['Alpine', compareAlpineVersions],
  ['Rocky Linux', compareRpmVersions],
  ['AlmaLinux', compareRpmVersions],
  ['npm', compareSemanticVersions],
  ['Go', compareSemanticVersions],
  ['PyPI', comparePythonVersions],
]);

const LANGUAGES = { npm: 'npm', pypi: 'PyPI', golang: 'Go', maven: 'Maven' } as const;

/** Debian's `linux-signed-amd64`; Ubuntu's `linux-signed` and `linux-signed-aws`, whose flavour stays. */
const SIGNED_KERNEL = /^linux-signed(?:-(?:amd64|arm64|i386))?(-[a-z0-9.-]+)?$/;

/** The order of versions of an ecosystem (`Debian:12`); undefined where we have none. */
export function comparatorOf(ecosystem: string): Compare | undefined {
  return COMPARATORS.get(ecosystem.split(':', 1)[0] as string);
}

/** What OSV calls the home of a package (osv-schema, "Defined ecosystems"); undefined where it has no name for it. */
export function ecosystemOf({ type }: ImagePackage, os: OsRelease): string | undefined {
  if (type === 'npm' || type === 'pypi' || type === 'golang' || type === 'maven') return LANGUAGES[type];
  const version = os.versionId ?? '';
  const major = version.split('.', 1)[0] as string;
  switch (os.id) {
    case 'debian':
      return `Debian:${major}`;
    case 'ubuntu':
      // Releases of April in even years are supported for long.
      return /^\d[02468]\.04$/.test(version) ? `Ubuntu:${version}:LTS` : `Ubuntu:${version}`;
    case 'alpine':
      return `Alpine:v${version.split('.').slice(0, 2).join('.')}`;
    case 'rocky':
      return `Rocky Linux:${major}`;
    case 'almalinux':
      return `AlmaLinux:${major}`;
    default:
      return undefined;
  }
}

/** Name and version by which databases know a package: the source package for deb and apk. */
export function knownAs(found: ImagePackage): { name: string; version: string } {
  const { type, source, namespace, name, version } = found;
  // A signed kernel is made anew from the binaries of `linux`, which databases know it by; its version is that of the binary.
  const signed = type === 'deb' ? SIGNED_KERNEL.exec(source?.name ?? '') : null;
  if (signed) return { name: `linux${signed[1] ?? ''}`, version: version.replace(/\+b\d+$/, '') };
  if ((type === 'deb' || type === 'apk') && source) return source;
  if (type === 'npm' && namespace !== undefined) return { name: `${namespace}/${name}`, version };
  if (type === 'maven') return { name: `${namespace ?? ''}:${name}`, version };
  // OSV writes Go's versions without the v.
  if (type === 'golang') return { name, version: version.replace(/^v/, '') };
  return { name, version };
}
