/** How files become one: an archive, a compression, or both. */
export interface CompressFormat {
  readonly archive: 'tar' | 'zip' | undefined;
  readonly compression: 'gzip' | 'zstd' | undefined;
}

const FORMATS: Readonly<Record<string, CompressFormat>> = {
  tar: { archive: 'tar', compression: undefined },
  'tar.gz': { archive: 'tar', compression: 'gzip' },
  tgz: { archive: 'tar', compression: 'gzip' },
  'tar.zst': { archive: 'tar', compression: 'zstd' },
  gz: { archive: undefined, compression: 'gzip' },
  zst: { archive: undefined, compression: 'zstd' },
  zip: { archive: 'zip', compression: undefined },
};

/** Names of all that can be written. */
export const formatNames: readonly string[] = Object.keys(FORMATS);

/** Formats of Packer's that need a library which is not here. */
const WITHOUT = new Set(['bgzf', 'bz2', 'lz4', 'xz', 'tar.bz2', 'tar.lz4', 'tar.xz', 'tar.bgzf']);

/** The format of a name such as `tar.gz`; or the name of one that is known and can't be written. */
export function formatOf(name: string): CompressFormat | { readonly refused: string } | undefined {
  if (WITHOUT.has(name)) return { refused: name };
  return Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
}

/** The ending of a file's name that says a format: the longest one. */
export function endingOf(path: string): string | undefined {
  return [...formatNames, ...WITHOUT]
    .sort((a, b) => b.length - a.length)
    .find((name) => path.endsWith(`.${name}`));
}
