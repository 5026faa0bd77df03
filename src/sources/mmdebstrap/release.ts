import { IngotError } from '../../core/error.ts';
import type { Expected } from './blobs.ts';
import { parseControl, words } from './control.ts';

/** The signed top of a suite (Debian's repository format, "Release" files). */
export interface Release {
  readonly origin: string;
  readonly label: string;
  /** `oldstable`, and `bookworm`: either names the suite. */
  readonly suite: string;
  readonly codename: string;
  /** Seconds since 1970. */
  readonly date: number;
  /** Seconds since 1970; undefined where it never expires. */
  readonly validUntil: number | undefined;
  readonly byHash: boolean;
  /** Files below the suite's folder. */
  readonly files: ReadonlyMap<string, Expected>;
}

/** Reads the text of a Release file, already verified. `where` names it in errors. */
export function parseRelease(text: string, where: string): Release {
  const stanza = parseControl(text)[0];
  const date = seconds(stanza?.get('Date'));
  const listed = stanza?.get('SHA256');
  if (!stanza || date === undefined || listed === undefined) {
    throw new IngotError(
      'apt/bad-release',
      `${where} has no ${date === undefined ? 'Date' : 'SHA256'} field; expected a Release file`,
      {
        hint: 'The mirror does not serve a Debian archive at this URL: check mirrors and suite.',
      },
    );
  }
  const files = new Map<string, Expected>();
  for (const line of listed.split('\n')) {
    const [sha256, size, path] = words(line);
    if (path && sha256 && /^[0-9a-f]{64}$/.test(sha256) && /^\d+$/.test(size ?? '')) {
      files.set(path, { sha256, size: Number(size) });
    }
  }
  const until = stanza.get('Valid-Until');
  return {
    origin: stanza.get('Origin') ?? '',
    label: stanza.get('Label') ?? stanza.get('Origin') ?? '',
    suite: stanza.get('Suite') ?? '',
    codename: stanza.get('Codename') ?? '',
    date,
    validUntil: until === undefined ? undefined : seconds(until),
    byHash: stanza.get('Acquire-By-Hash') === 'yes',
    files,
  };
}

/** RFC 1123 date with zone UTC, as dpkg and dak write it. */
function seconds(value: string | undefined): number | undefined {
  if (value === undefined || !/(UTC|GMT|\+0000|Z)$/.test(value)) return undefined;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : time / 1000;
}

/** The archive's public name for the lock: `debian`, `debian-security`, or another label made a word. */
export function archiveName(release: Release): string {
  return (
    release.label
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'archive'
  );
}

/** Refuses a Release file of another suite: a mirror could serve it in place of the one asked for. */
export function checkSuite(release: Release, suite: string, where: string): void {
  const plain = (name: string) => name.replace(/\/updates$/, '-security');
  if (plain(release.codename) === plain(suite) || plain(release.suite) === plain(suite)) return;
  throw new IngotError(
    'apt/wrong-suite',
    `${where} is of suite "${release.suite}" (codename "${release.codename}"); expected "${suite}"`,
    { hint: 'The mirror answers with another suite: name another with mirrors = […].' },
  );
}

/** Judges Valid-Until: without it, an attacker could hold back security updates for ever. */
export function checkFresh(release: Release, now: Date, where: string): void {
  if (release.validUntil === undefined || now.getTime() / 1000 <= release.validUntil) return;
  const iso = new Date(release.validUntil * 1000).toISOString();
  throw new IngotError('apt/expired', `${where} was valid until ${iso}; it is ${now.toISOString()}`, {
    hint: 'The mirror is not kept up to date (or the host\'s clock is wrong): name another mirror, or take an old state on purpose with snapshot = "…".',
  });
}
