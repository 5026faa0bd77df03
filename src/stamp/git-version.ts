/** What git says of a checkout. */
export interface GitState {
  /** Full id of HEAD; absent outside of a checkout. */
  readonly commit?: string;
  readonly dirty?: boolean;
  /** Output of `git describe --tags --long --match 'release-*'`; absent where no such tag is reachable. */
  readonly describe?: string;
}

/**
 * The version of what is built from this checkout. On the tag release-1.2.0: `1.2.0`. Five commits later:
 * `1.2.1-dev.5.g1a2b3c4`, which sorts between 1.2.0 and 1.2.1 (semver.org, 11); after release-1.2.0-rc.1:
 * `1.2.0-rc.1.dev.5.g1a2b3c4`. Without a tag `0.0.0-dev.g1a2b3c4`; a dirty tree appends `.dirty`; without git
 * `0.0.0-untracked`. All are valid versions of an image (validateImageVersion) and valid OCI tags, so there is no
 * `+` in them, and what else a tag may have becomes lower case or `-`.
 */
export function gitVersion(state: GitState): { readonly version: string } {
  if (state.commit === undefined) return { version: '0.0.0-untracked' };
  const short = state.commit.slice(0, 7);
  const dirty = state.dirty ? '.dirty' : '';
  const match = /^release-(.+)-(\d+)-g[0-9a-f]+$/.exec(state.describe ?? '');
  const tagged = versionOf(match?.[1] ?? '');
  if (!match || tagged === '') return { version: `0.0.0-dev.g${short}${dirty}` };
  if (match[2] === '0' && !state.dirty) return { version: tagged };
  return { version: `${afterTag(tagged)}dev.${match[2]}.g${short}${dirty}` };
}

/** A tag's version in the letters that images may use, short enough for what is appended. */
function versionOf(tag: string): string {
  return tag
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '')
    .slice(0, 60);
}

/** 1.2.0 → `1.2.1-`; a pre-release goes on: 1.2.0-rc.1 → `1.2.0-rc.1.`; what ends in no number of its own gets `.1`. */
function afterTag(version: string): string {
  if (version.includes('-')) return `${version}.`;
  const match = /^(.*\.)(\d{1,15})$/.exec(version);
  return match ? `${match[1]}${Number(match[2]) + 1}-` : `${version}.1-`;
}
