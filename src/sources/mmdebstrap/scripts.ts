import { cleanScript } from './clean-script.ts';

/** Shell that runs inside the new system. Plain POSIX sh; arguments come quoted. */

/** Where the host's hand-over folder lies inside. */
export const HANDOVER = '/run/ingot';

/** Files that stand in the tree while it is configured. */
export const STAND_INS: Readonly<Record<string, string>> = {
  // Services do not start while a system is being put together.
  '/usr/sbin/policy-rc.d': '#!/bin/sh\nexit 101\n',
};

/** Real programs that are moved aside while configuring; `name` becomes `name.ingot`. */
export const SHADOWED: Readonly<Record<string, string>> = {
  // Scripts ask it whether an init system is there to be told of changes (libc6 then waits a second): none is.
  '/usr/bin/ischroot': '#!/bin/sh\nexit 0\n',
  // Byte-compiling Python modules needs nothing of what follows: it goes on beside it.
  '/usr/bin/py3compile': `#!/bin/sh
case " $* " in
  *" -p "*) [ -p ${HANDOVER}/compile ] && printf '%s\\n' "$*" > ${HANDOVER}/compile && exit 0 ;;
esac
exec /usr/bin/py3compile.ingot "$@"
`,
};

const PREINST = (name: string, info: string, script: string) => `
echo 'Preparing ${name} ...'
DPKG_MAINTSCRIPT_PACKAGE=${name} DPKG_MAINTSCRIPT_NAME=preinst DPKG_MAINTSCRIPT_ARCH=amd64 DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1 DEBCONF_PACKAGE=${name} DPKG_ROOT= DPKG_ADMINDIR=/var/lib/dpkg '${script}' install || { echo 'ingot: preinst of ${info} failed' >&2; exit 1; }
`;

/** A preinst script to run: package, and where the script lies inside. */
export interface PreinstCall {
  readonly name: string;
  readonly script: string;
}

/** Configures the base system, and prepares what is unpacked on top of it. */
export function baseScript(
  base: readonly string[],
  before: readonly PreinstCall[],
  after: readonly PreinstCall[],
): string {
  return `set -e
cd /
${before.map((call) => PREINST(call.name, call.name, call.script)).join('')}
dpkg --force-unsafe-io --force-depends --configure ${base.join(' ')}
${after.map((call) => PREINST(call.name, call.name, call.script)).join('')}
`;
}

export interface RestRequest {
  /** The Python interpreter and what it needs: configured without SOURCE_DATE_EPOCH, with which its byte code
   *  would be checked by hash whenever a program starts. */
  readonly python: readonly string[];
  /** Configured before `debs` are unpacked. */
  readonly first: readonly string[];
  /** Package files that dpkg unpacks by itself. */
  readonly debs: readonly string[];
}

/** Configures everything else, and cleans up. */
export function restScript({ python, first, debs }: RestRequest): string {
  const dpkg = 'dpkg --force-unsafe-io';
  const interpreter =
    python.length === 0 ? '' : `env -u SOURCE_DATE_EPOCH ${dpkg} --configure ${python.join(' ')}\n`;
  const others = first.filter((name) => !python.includes(name));
  const needed = others.length === 0 ? '' : `${dpkg} --configure ${others.join(' ')}\n`;
  const unpack = debs.length === 0 ? '' : `${dpkg} --unpack ${debs.join(' ')}\n`;
  return `set -e
cd /
mkfifo ${HANDOVER}/compile
exec 3<>${HANDOVER}/compile
(
  set -f
  unset SOURCE_DATE_EPOCH
  while read -r line <&3; do
    [ "$line" != end ] || exit 0
    /usr/bin/py3compile.ingot $line || echo "py3compile $line" >> ${HANDOVER}/failed
  done
) &
${interpreter}${needed}${unpack}${dpkg} --configure -a
echo end >&3
wait
exec 3>&-
rm ${HANDOVER}/compile
[ ! -e ${HANDOVER}/failed ] || { cat ${HANDOVER}/failed >&2; exit 1; }
audit=$(dpkg --audit)
[ -z "$audit" ] || { echo "$audit" >&2; exit 1; }
${cleanScript()}`;
}

/** Stands in for update-initramfs in the source and in provisioners: the disk room makes the initramfs, once. */
export const INITRAMFS_WRAPPER = `#!/bin/sh
# The initramfs is made once, when the image is finished; until then this only notes that one is wanted.
mkdir -p /var/lib/ingot
: > /var/lib/ingot/initramfs-requested
`;
