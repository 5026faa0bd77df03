export type Compression = 'gzip' | 'bgzf' | 'zstd' | 'lz4' | 'xz' | 'bzip2';

/** How files become one: an archive, a compression, or both. */
export interface CompressFormat {
  readonly archive: 'tar' | 'zip' | undefined;
  readonly compression: Compression | undefined;
}

/** Endings of one compressed file; behind `.tar`, of a compressed archive. */
const COMPRESSIONS: Readonly<Record<string, Compression>> = {
  gz: 'gzip',
  bgzf: 'bgzf',
  bz2: 'bzip2',
  bzip2: 'bzip2',
  lz4: 'lz4',
  xz: 'xz',
  zst: 'zstd',
};

const FORMATS: ReadonlyMap<string, CompressFormat> = new Map<string, CompressFormat>([
  ['tar', { archive: 'tar', compression: undefined }],
  ['zip', { archive: 'zip', compression: undefined }],
  ['tgz', { archive: 'tar', compression: 'gzip' }],
  ...Object.entries(COMPRESSIONS).flatMap(([ending, compression]): [string, CompressFormat][] => [
    [ending, { archive: undefined, compression }],
    [`tar.${ending}`, { archive: 'tar', compression }],
  ]),
]);

/** Names of all that can be written. */
export const formatNames: readonly string[] = [...FORMATS.keys()];

/** The format of a name such as `tar.gz`. */
export function formatOf(name: string): CompressFormat | undefined {
  return FORMATS.get(name);
}

/** The ending of a file's name that says a format: the longest one. */
export function endingOf(path: string): string | undefined {
  return formatNames.toSorted((a, b) => b.length - a.length).find((name) => path.endsWith(`.${name}`));
}
