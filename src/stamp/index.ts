import type { Digest } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';
import type { Ancestor } from '../core/lock.ts';
import type { Rootfs } from '../core/rootfs.ts';
import { clampPasswordDates } from './password-dates.ts';

/** Bump when what a stamp writes changes. */
export const STAMP_VERSION = 3;

/** What an image says about itself. */
export interface Stamp {
  readonly name: string;
  readonly version: string;
  readonly gitCommit?: string;
  readonly dirty: boolean;
  readonly templateDigest: Digest;
  readonly lockDigest: Digest;
  /** SOURCE_DATE_EPOCH, seconds since 1970. */
  readonly epoch: number;
  /** The image that it was built from. */
  readonly base?: { readonly name: string; readonly digest: Digest };
  /** Releases that it stands on, the nearest first. */
  readonly ancestry?: readonly Ancestor[];
}

/**
 * The stamp in the OS: /etc/os-release (os-release(5)) and /etc/image-release. With it goes the one date that a build
 * leaves in a file's content: the day of a password's last change.
 */
export function stampImage(root: Rootfs, stamp: Stamp): { readonly summary: string } {
  validateImageVersion(stamp.version);
  // /etc/os-release is a link to /usr/lib/os-release; where it is a file of its own, that is the one which counts.
  for (const path of ['/usr/lib/os-release', '/etc/os-release']) {
    if (!root.lstat(path)?.isFile()) continue;
    root.write(
      path,
      withFields(root.readText(path), { IMAGE_ID: osReleaseId(stamp.name), IMAGE_VERSION: stamp.version }),
    );
  }
  root.mkdir('/etc');
  root.write('/etc/image-release', imageRelease(stamp));
  clampPasswordDates(root, stamp.epoch);
  return { summary: `${stamp.name} ${stamp.version}` };
}

/** The same facts for outputs and the release: OCI's pre-defined keys (image-spec, annotations.md) and ours. */
export function stampAnnotations(stamp: Stamp): Record<string, string> {
  return {
    'org.opencontainers.image.title': stamp.name,
    'org.opencontainers.image.version': stamp.version,
    'org.opencontainers.image.created': isoDate(stamp.epoch),
    ...(stamp.gitCommit !== undefined && { 'org.opencontainers.image.revision': stamp.gitCommit }),
    'dev.ingot.dirty': String(stamp.dirty),
    'dev.ingot.template': stamp.templateDigest,
    'dev.ingot.lock': stamp.lockDigest,
    ...(stamp.base && {
      'org.opencontainers.image.base.name': stamp.base.name,
      'org.opencontainers.image.base.digest': stamp.base.digest,
    }),
    ...(stamp.ancestry && { 'dev.ingot.ancestry': ancestryText(stamp.ancestry) }),
  };
}

/** Releases in one line: `base@1.4.0@sha256:… vendor@9@sha256:…`, the nearest first. */
function ancestryText(ancestry: readonly Ancestor[]): string {
  return ancestry.map(({ name, version, digest }) => `${name}@${version}@${digest}`).join(' ');
}

/** A version is part of file names, tags and os-release: throws `stamp/bad-version` for what does not fit all three. */
export function validateImageVersion(version: string): void {
  if (/^[a-z0-9][a-z0-9._-]{0,99}$/.test(version)) return;
  throw new IngotError('stamp/bad-version', `the version ${JSON.stringify(version)} cannot be stamped`, {
    hint: 'Use lower-case letters, digits, ".", "_" and "-", at most 100, as os-release(5) demands of IMAGE_VERSION.',
  });
}

function imageRelease(stamp: Stamp): string {
  const fields: Record<string, string> = {
    NAME: stamp.name,
    VERSION: stamp.version,
    GIT_COMMIT: stamp.gitCommit ?? '',
    GIT_DIRTY: String(stamp.dirty),
    TEMPLATE_DIGEST: stamp.templateDigest,
    LOCK_DIGEST: stamp.lockDigest,
    BUILD_DATE: isoDate(stamp.epoch),
    ...(stamp.base && { BASE: stamp.base.name, BASE_DIGEST: stamp.base.digest }),
    ...(stamp.ancestry && { ANCESTRY: ancestryText(stamp.ancestry) }),
  };
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${quote(value)}\n`)
    .join('');
}

/** Replaces or appends `NAME=value` lines. */
function withFields(text: string, fields: Readonly<Record<string, string>>): string {
  const kept = text
    .split('\n')
    .filter((line) => line !== '' && !Object.hasOwn(fields, line.split('=', 1)[0] ?? ''));
  return `${[...kept, ...Object.entries(fields).map(([name, value]) => `${name}=${quote(value)}`)].join('\n')}\n`;
}

/** A value as os-release(5) wants it: in double quotes, with what a shell would expand escaped, on one line. */
function quote(value: string): string {
  return `"${value.replace(/[\r\n]+/g, ' ').replace(/["\\$`]/g, '\\$&')}"`;
}

/** IMAGE_ID takes a–z, 0–9, ".", "_" and "-" only. */
function osReleaseId(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9._-]/g, '-');
}

function isoDate(epoch: number): string {
  return new Date(epoch * 1000).toISOString().replace('.000Z', 'Z');
}
