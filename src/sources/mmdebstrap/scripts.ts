import { cleanScript } from './clean-script.ts';

/** Shell that runs inside the new system. Plain POSIX sh; arguments come quoted. */

/** Where the host's hand-over folder lies inside. */
export const HANDOVER = '/run/ingot';

/** Files that stand in the tree while it is configured. */
export const STAND_INS: Readonly<Record<string, string>> = {
  // Services do not start while a system is being put together.
  '/usr/sbin/policy-rc.d': '#!/bin/sh\nexit 101\n',
};

const CERTIFICATES = '/usr/sbin/update-ca-certificates';

/** One of the two queues, by the caller's pid: what comes of it does not depend on which. */
const ONE_QUEUE = `${HANDOVER}/queue$(($$ % 2))`;

/** Hands a command to a queue that works beside dpkg, where those are open. */
const queued = (program: string, when: string) => `#!/bin/sh
case " $* " in
  ${when}) [ -p ${HANDOVER}/queue0 ] && printf '%s\\n' "${program}.ingot $*" > ${ONE_QUEUE} && exit 0 ;;
esac
exec ${program}.ingot "$@"
`;

/** Real programs that are moved aside while configuring; `name` becomes `name.ingot`. */
export const SHADOWED: Readonly<Record<string, string>> = {
  // Scripts ask it whether an init system is there to be told of changes (libc6 then waits a second): none is.
  '/usr/bin/ischroot': '#!/bin/sh\nexit 0\n',
  // Nothing that is configured later needs what these make: byte code and the index of hardware names.
  '/usr/bin/py3compile': queued('/usr/bin/py3compile', '*" -p "*'),
  '/usr/bin/systemd-hwdb': queued('/usr/bin/systemd-hwdb', '*" update "*'),
  // Called by its package and by triggers: the first call does it all, unless something is new after that.
  '/usr/sbin/update-ca-certificates': `#!/bin/sh
[ ! -e ${HANDOVER}/certificates ] || exit 0
: > ${HANDOVER}/certificates
[ -p ${HANDOVER}/queue0 ] || exec ${CERTIFICATES}.ingot "$@"
echo ${CERTIFICATES}.ingot > ${ONE_QUEUE}
`,
};

const preinst = ({ name, script }: PreinstCall) => `
echo 'Preparing ${name} ...'
DPKG_MAINTSCRIPT_PACKAGE=${name} DPKG_MAINTSCRIPT_NAME=preinst DPKG_MAINTSCRIPT_ARCH=amd64 DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1 DEBCONF_PACKAGE=${name} DPKG_ROOT= DPKG_ADMINDIR=/var/lib/dpkg '${script}' install || { echo 'preinst of ${name} failed' >&2; exit 1; }
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
${before.map(preinst).join('')}
dpkg --force-unsafe-io --force-depends --configure ${base.join(' ')}
${after.map(preinst).join('')}
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
work() {
  set -f
  unset SOURCE_DATE_EPOCH
  while read -r line; do
    [ "$line" != end ] || return 0
    $line || echo "failed: $line" >> ${HANDOVER}/failed
  done
}
mkfifo ${HANDOVER}/queue0 ${HANDOVER}/queue1
exec 3<>${HANDOVER}/queue0 4<>${HANDOVER}/queue1
(work <&3) &
(work <&4) &
# Host keys belong to one machine: with these in place none are made, and all are removed.
if [ -x /usr/sbin/sshd ]; then
  for type in rsa ecdsa ed25519; do : > /etc/ssh/ssh_host_\${type}_key; done
fi
${interpreter}${needed}${unpack}${dpkg} --configure -a
echo end >&3
echo end >&4
wait
if [ -e ${HANDOVER}/certificates ]; then
  changed=$(find /etc/ca-certificates* /usr/share/ca-certificates /usr/local/share/ca-certificates -cnewer ${HANDOVER}/certificates || echo unknown)
  [ -z "$changed" ] || ${CERTIFICATES}.ingot
fi
exec 3>&- 4>&-
rm ${HANDOVER}/queue0 ${HANDOVER}/queue1
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
