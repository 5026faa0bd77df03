import { IngotError } from '../../core/error.ts';
import type { AptSource } from './host-sources.ts';
import { parseOneLine } from './host-sources.ts';

/** A suite to take packages from, and where it may be found: base URLs without a last slash, best first. */
export interface WantedSuite {
  readonly suite: string;
  readonly components: readonly string[];
  readonly bases: readonly string[];
}

const SNAPSHOT_SERVICE = 'https://snapshot.debian.org';
/** Suites without -updates and -security beside them. */
const ROLLING = new Set(['sid', 'unstable', 'experimental', 'rc-buggy']);
const DEBIAN_SUITE =
  /^(stretch|buster|bullseye|bookworm|trixie|forky|duke|sid|oldoldstable|oldstable|stable|testing|unstable)(-updates|-security|\/updates)?$/;

/** `YYYYMMDDTHHMMSSZ`, as snapshot.debian.org writes moments; undefined where `text` is no date. */
export function parseSnapshot(text: string): string | undefined {
  const match = /^(\d{4})-?(\d\d)-?(\d\d)(?:T(\d\d):?(\d\d):?(\d\d)Z)?$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00'] = match;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
  const date = new Date(iso);
  if (Number.isNaN(date.getTime()) || date.toISOString() !== iso.replace('Z', '.000Z')) return undefined;
  return `${year}${month}${day}T${hour}${minute}${second}Z`;
}

/** The suite itself, its updates and its security suite, in apt's order. */
export function suitesOf(suite: string): string[] {
  return ROLLING.has(suite) ? [suite] : [suite, `${suite}-updates`, `${suite}-security`];
}

export interface MirrorRequest {
  readonly suite: string;
  readonly components: readonly string[];
  /** URLs and source lines from the template. */
  readonly mirrors: readonly string[] | undefined;
  readonly snapshot: string | undefined;
  /** What the host's apt uses; asked only where the template names no mirror. */
  readonly hostSources: () => readonly AptSource[];
}

/**
 * Which suites to fetch, and the URLs to try for each. Source lines add suites of other archives; URLs say
 * where Debian's are. With `snapshot` the URLs are those of services of snapshot.debian.org's shape.
 */
export function wantedSuites(request: MirrorRequest): WantedSuite[] {
  const lines = (request.mirrors ?? []).filter(isSourceLine).map(sourceLine);
  const urls = (request.mirrors ?? []).filter((mirror) => !isSourceLine(mirror)).map(trimUrl);
  const bases =
    request.snapshot === undefined ? mirrorBases(urls, request) : snapshotBases(urls, request.snapshot);
  const wanted: WantedSuite[] = suitesOf(request.suite).map((suite) => ({
    suite,
    components: request.components,
    bases: isSecurity(suite) ? bases.security : bases.main,
  }));
  for (const line of lines) {
    for (const suite of line.suites) {
      const own = wanted.findIndex((w) => w.suite === suite);
      const entry = { suite, components: line.components, bases: line.uris.map(trimUrl) };
      if (own === -1) wanted.push(entry);
      else wanted[own] = entry;
    }
  }
  return wanted;
}

/** Whether a suite's name says that it holds security updates. */
export function isSecurity(suite: string): boolean {
  return suite.endsWith('-security') || suite.endsWith('/updates');
}

interface Bases {
  readonly main: readonly string[];
  readonly security: readonly string[];
}

function mirrorBases(urls: readonly string[], request: MirrorRequest): Bases {
  if (urls.length > 0) {
    const security = urls.filter(looksSecure);
    const main = urls.filter((url) => !looksSecure(url));
    return { main, security: [...security, ...main.map(securitySibling), ...main] };
  }
  const main = new Set<string>();
  const security = new Set<string>();
  for (const source of request.hostSources()) {
    for (const suite of source.suites) {
      if (!DEBIAN_SUITE.test(suite)) continue;
      for (const uri of source.uris) (isSecurity(suite) ? security : main).add(trimUrl(uri));
    }
  }
  if (main.size === 0) {
    throw new IngotError(
      'apt/no-mirror',
      "the host's apt sources name no Debian archive, and neither does the template",
      {
        hint: 'Set mirrors = ["http://deb.debian.org/debian"] in the source.',
      },
    );
  }
  for (const url of main) security.add(securitySibling(url));
  return { main: [...main], security: [...security] };
}

function snapshotBases(urls: readonly string[], snapshot: string): Bases {
  const services = urls.length > 0 ? urls : [SNAPSHOT_SERVICE];
  const moment = parseSnapshot(snapshot) ?? snapshot;
  return {
    main: services.map((url) => `${url}/archive/debian/${moment}`),
    security: services.map((url) => `${url}/archive/debian-security/${moment}`),
  };
}

function looksSecure(url: string): boolean {
  return /security/.test(new URL(url).pathname) || new URL(url).hostname.startsWith('security.');
}

/** Debian's mirrors keep security updates in `debian-security` beside `debian`. */
function securitySibling(url: string): string {
  return url.endsWith('/debian') ? `${url}-security` : url;
}

function isSourceLine(mirror: string): boolean {
  return /^deb\s/.test(mirror);
}

function sourceLine(mirror: string): AptSource {
  const source = parseOneLine(mirror);
  if (!source || source.uris.length === 0) {
    throw new IngotError('apt/bad-mirror', `"${mirror}" is no source line of sources.list(5)`, {
      hint: 'Write "deb URL suite component…", or only the URL.',
    });
  }
  return source;
}

function trimUrl(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch (cause) {
    throw new IngotError('apt/bad-mirror', `mirror "${url}" is no URL`, {
      hint: 'Write the archive\'s base, such as "http://deb.debian.org/debian".',
      cause,
    });
  }
  if (!['http:', 'https:', 'file:'].includes(parsed.protocol)) {
    throw new IngotError(
      'apt/bad-mirror',
      `mirror "${url}" is of scheme ${parsed.protocol.slice(0, -1)}; expected http, https or file`,
      {
        hint: 'Name a mirror that is reached by http, https or file.',
      },
    );
  }
  return url.replace(/\/+$/, '');
}
