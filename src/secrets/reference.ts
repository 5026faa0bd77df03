import { IngotError } from '../core/error.ts';

/** `ref` for configuration, `secretref` for what `--exclude-secret` leaves alone. */
export type ReferenceKind = 'ref' | 'secretref';

/** What stands behind `ref+`: `BACKEND://PATH[?params][#/fragment]`, read. */
export interface Reference {
  readonly backend: string;
  /** Up to the first slash. */
  readonly host: string;
  /** From the first slash on. */
  readonly urlPath: string;
  /** Host and path together, as providers want it: `secret/data/db`, or `/etc/x` where there is no host. */
  readonly path: string;
  /** The first value of each parameter, decoded. */
  readonly params: ReadonlyMap<string, string>;
  /** Without the leading slash; empty where there is none. */
  readonly fragment: string;
  /** As it was written. */
  readonly text: string;
}

/** Parameters whose values are secrets, or may be. */
const SECRET_PARAMS = /token|secret|password|apikey|default|fallback|^env_/i;

/**
 * Reads a reference as vals does (Go's net/url), but takes any text for a host: `${NAME}` is one.
 * Throws `secrets/bad-reference`.
 */
export function parseReference(text: string): Reference {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9.-]*):\/\/(.*)$/is.exec(text) ?? [];
  if (scheme === '') throw badReference(text, 'expected BACKEND://PATH[?params][#/fragment]');
  const [beforeFragment, fragment] = cut(rest, '#');
  const [location, query] = cut(beforeFragment, '?');
  const slash = location.indexOf('/');
  // The colons of an ARN are no port, and its slashes no path.
  const isArn = /^arn:aws[:-]/.test(location);
  const end = isArn || slash < 0 ? location.length : slash;
  const host = isArn ? location : decode(location.slice(0, end), text);
  const urlPath = decode(location.slice(end), text);
  const below = host === '' ? urlPath : urlPath.replace(/^\//, '');
  return {
    backend: scheme.toLowerCase(),
    host,
    urlPath,
    path: [host, below].filter((part) => part !== '').join('/'),
    params: readParams(query, text),
    fragment: decode(fragment, text).replace(/^#/, '').replace(/^\//, ''),
    text,
  };
}

/** The reference for messages: parameters that may be secret are left out, and the password of an address. */
export function describeReference(text: string): string {
  const [beforeFragment, fragment] = cut(text, '#');
  const [location, query] = cut(beforeFragment, '?');
  const params = query
    .split('&')
    .map((pair) => {
      const name = pair.split('=')[0] ?? '';
      return SECRET_PARAMS.test(name) ? `${name}=…` : pair;
    })
    .join('&');
  const shown = location.replace(/(:\/\/[^/:@]*:)[^/@]*@/g, '$1…@');
  return `${shown}${query === '' ? '' : `?${params}`}${fragment === '' ? '' : `#${fragment}`}`;
}

/** A value as part of a reference around it: it adds to a path, never a parameter, a fragment or an end. */
export function quoteForReference(value: string): string {
  return encodeURIComponent(Buffer.from(value).toString()).replace(/%2F/g, '/').replace(/%3A/g, ':');
}

function readParams(query: string, text: string): Map<string, string> {
  const params = new Map<string, string>();
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const [name, value] = cut(pair.replaceAll('+', ' '), '=');
    const key = decode(name, text);
    if (!params.has(key)) params.set(key, decode(value, text));
  }
  return params;
}

/** Before and after the first `mark`; all and nothing where it is not there. */
function cut(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(part: string, text: string): string {
  if (!part.includes('%')) return part;
  if (/%(?![0-9a-f]{2})/i.test(part)) throw badReference(text, 'a % must be followed by two hex digits');
  const bytes = part
    .split(/(%[0-9a-f]{2})/i)
    .map((piece, i) => (i % 2 === 0 ? Buffer.from(piece) : Buffer.from(piece.slice(1), 'hex')));
  return Buffer.concat(bytes).toString('utf8');
}

function badReference(text: string, expected: string): IngotError {
  return new IngotError(
    'secrets/bad-reference',
    `ref+${describeReference(text)} can't be read: ${expected}`,
    {
      hint: 'Write ref+vault://secret/db#/password, for example; docs/secrets.md has the grammar.',
    },
  );
}
