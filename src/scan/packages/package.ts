/** Where a package came from, as a package URL's type (purl-spec, PURL-TYPES.rst). */
export type PackageType = 'deb' | 'apk' | 'rpm' | 'npm' | 'pypi' | 'golang' | 'maven';

export interface PackageHash {
  readonly algorithm: 'SHA-1' | 'SHA-256';
  /** Lower-case hex. */
  readonly value: string;
  /** What was hashed: the package's archive as published, or the file that was found. */
  readonly of: 'archive' | 'file';
}

/** A package that is in an image. */
export interface ImagePackage {
  readonly type: PackageType;
  readonly name: string;
  readonly version: string;
  /** The distribution (`debian`), npm's scope, Maven's group id. */
  readonly namespace?: string;
  readonly architecture?: string;
  /** The source package, where it is known; always there for deb. */
  readonly source?: { readonly name: string; readonly version: string };
  /** An SPDX licence expression; names that SPDX does not know are `LicenseRef-…`. */
  readonly licence?: string;
  readonly supplier?: string;
  readonly homepage?: string;
  /** File of the image that names it. */
  readonly path: string;
  readonly hashes: readonly PackageHash[];
  readonly purl: string;
}

/** What could not be read: with severity `error`, packages may be missing, and nothing may be concluded. */
export interface InventoryFinding {
  readonly severity: 'error' | 'warning';
  readonly path: string;
  readonly message: string;
}

export interface PurlParts {
  readonly type: PackageType;
  readonly namespace?: string;
  readonly name: string;
  readonly version: string;
  readonly qualifiers?: Readonly<Record<string, string | undefined>>;
}

/** A package URL in canonical form (purl-spec, PURL-SPECIFICATION.rst, "how to build"). */
export function packageUrl({ type, namespace, name, version, qualifiers = {} }: PurlParts): string {
  const path = [...(namespace?.split('/') ?? []), ...name.split('/')].map(encode).join('/');
  const query = Object.entries(qualifiers)
    .flatMap(([key, value]) => (value === undefined || value === '' ? [] : [`${key}=${encode(value)}`]))
    .sort()
    .join('&');
  return `pkg:${type}/${path}@${encode(version)}${query === '' ? '' : `?${query}`}`;
}

/** Percent-encoded but for letters, digits and `.-_~:`. */
function encode(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'))
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%3A', ':');
}

/** Packages in one order, and each once. */
export function sortPackages(packages: readonly ImagePackage[]): ImagePackage[] {
  const byKey = new Map<string, ImagePackage>();
  for (const found of packages) {
    const key = `${found.purl}\n${found.path}`;
    if (!byKey.has(key)) byKey.set(key, found);
  }
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, found]) => found);
}
