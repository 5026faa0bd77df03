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
 * `1.2.1-dev.5.g1a2b3c4`, which sorts between 1.2.0 and 1.2.1 (semver.org, 11). Without a tag
 * `0.0.0-dev.g1a2b3c4`; a dirty tree appends `.dirty`; without git `0.0.0-untracked`. All are valid OCI tags.
 */
export function gitVersion(state: GitState): { readonly version: string } {
  if (state.commit === undefined) return { version: '0.0.0-untracked' };
  const short = state.commit.slice(0, 7);
  const dirty = state.dirty ? '.dirty' : '';
  const match = /^release-(.+)-(\d+)-g[0-9a-f]+$/.exec(state.describe ?? '');
  if (!match) return { version: `0.0.0-dev.g${short}${dirty}` };
  const [, tagged, distance] = match as unknown as [string, string, string];
  if (distance === '0' && !state.dirty) return { version: tagged };
  return { version: `${nextPatch(tagged)}-dev.${distance}.g${short}${dirty}` };
}

/** 1.2.0 → 1.2.1; what does not end in a number of its own gets `.1`. */
function nextPatch(version: string): string {
  const match = /^(.*\.)(\d+)$/.exec(version);
  return match ? `${match[1]}${Number(match[2]) + 1}` : `${version}.1`;
}
