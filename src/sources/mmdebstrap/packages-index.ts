/** A package as an archive's index lists it. */
export interface IndexedPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Pool path below the archive's root. */
  readonly filename: string;
  readonly size: number;
  readonly sha256: string;
}

const WANTED = new Set(['Package', 'Version', 'Architecture', 'Filename', 'Size', 'SHA256']);

/**
 * The packages of a `Packages` file (Debian's repository format). These files have 50 MB: fields other than
 * ours are stepped over unread. Entries that lack one of them, or lead out of the archive, are left out.
 */
export function* parsePackages(text: string): Generator<IndexedPackage> {
  let fields: Record<string, string> = {};
  let at = 0;
  while (at <= text.length) {
    let end = text.indexOf('\n', at);
    if (end === -1) end = text.length;
    if (end === at) {
      const entry = toPackage(fields);
      if (entry) yield entry;
      fields = {};
    } else {
      const first = text.charCodeAt(at);
      // A continuation line starts with a blank; our fields start with P, V, A, F, or S.
      if (first === 80 || first === 86 || first === 65 || first === 70 || first === 83) {
        const colon = text.indexOf(':', at);
        if (colon !== -1 && colon < end) {
          const name = text.slice(at, colon);
          if (WANTED.has(name)) fields[name] = text.slice(colon + 1, end).trim();
        }
      }
    }
    at = end + 1;
  }
  const last = toPackage(fields);
  if (last) yield last;
}

function toPackage(fields: Record<string, string>): IndexedPackage | undefined {
  const {
    Package: name,
    Version: version,
    Architecture: architecture,
    Filename: filename,
    SHA256: sha256,
  } = fields;
  const size = Number(fields['Size']);
  if (!name || !version || !architecture || !filename || !sha256) return undefined;
  if (!Number.isSafeInteger(size) || size < 0 || !/^[0-9a-f]{64}$/.test(sha256)) return undefined;
  if (filename.startsWith('/') || filename.split('/').includes('..')) return undefined;
  return { name, version, architecture, filename, size, sha256 };
}
