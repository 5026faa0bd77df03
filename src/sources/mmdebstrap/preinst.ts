/**
 * Which packages need more than their files in place before they are configured. dpkg runs `preinst install`
 * before it unpacks; most of these scripts only speak of upgrades, which a new system never sees.
 */

/** How a package gets into the tree. */
export type Way =
  /** Its files, then configure. */
  | 'files'
  /** `preinst install` in the base system, then its files, then configure. */
  | 'preinst'
  /** `dpkg --unpack` in the base system. */
  | 'dpkg';

/** Lines that do nothing when a package is installed for the first time (dpkg-maintscript-helper(1): no old version). */
const INERT_LINE =
  /^(set -[a-z]+|exit 0|:|#.*|dpkg-maintscript-helper (rm_conffile|mv_conffile|symlink_to_dir|dir_to_symlink) .*)?$/;
/** debhelper's snippet for init scripts: only with an old version in $2. */
const INIT_SNIPPET = /^if \[ "\$1" = "install" \] && \[ -n "\$2" \][^\n]*\n\s*chmod [^\n]*\n\s*fi$/gm;

/** Whether a preinst script can be left out on a first install. Only plain shell of known lines is. */
export function isInert(script: string): boolean {
  if (!/^#!\s*\/bin\/(ba|da)?sh\b/.test(script)) return false;
  const lines = script.replaceAll(INIT_SNIPPET, '').split('\n').slice(1);
  return lines.every((line) => INERT_LINE.test(line.trim()));
}

/**
 * The way of a package outside the base system. `preDepends`: packages of the image that it names in
 * Pre-Depends; `base`: the packages that are configured before.
 */
export function wayOf(
  preinst: string | undefined,
  archive: string,
  preDepends: readonly string[],
  base: ReadonlySet<string>,
): Way {
  // Only dpkg-deb's own layout is known to go through one tar; other archives' packages may be made otherwise.
  if (!/^debian(-|$)/.test(archive)) return 'dpkg';
  if (preinst === undefined || isInert(preinst)) return 'files';
  const code = preinst.replaceAll(/^\s*#.*$/gm, '');
  if (/\bdpkg-(divert|statoverride)\b|debconf\/confmodule/.test(code)) return 'dpkg';
  return preDepends.every((name) => base.has(name)) ? 'preinst' : 'dpkg';
}
