import type { Needle } from '../residue/needles.ts';
import type { BuilderFacts } from './machine-facts.ts';

/** A fact that is searched. */
export interface Trace {
  /** `the host name build-7`. */
  readonly what: string;
  /** Fails the seal; else it is told. Addresses are in documentation and defaults too often. */
  readonly isCertain: boolean;
}

export interface TraceNeedles {
  readonly traces: readonly Trace[];
  readonly needles: readonly Needle[];
}

/** Cards that thousands of machines have: none, broadcast, and QEMU's default. */
const COMMON_MACS = new Set(['00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff', '52:54:00:12:34:56']);
/**
 * Addresses that every machine of a kind has: QEMU's user network, Docker's and libvirt's first ones; and those that
 * documentation is full of (RFC 5737, RFC 3849).
 */
const COMMON_ADDRESSES =
  /^(?:127\.|169\.254\.|10\.0\.2\.15$|172\.17\.0\.|192\.168\.122\.|192\.0\.2\.|198\.51\.100\.|203\.0\.113\.|::1$|fe80:|2001:db8:)/;
/** Host names of fewer letters, and user names without more than letters, are words of any text. */
const SHORTEST_NAME = 6;
const COMMENT = /^[^@\s]+@[^@\s]{3,}$/;

/** Every way in which a fact may be written. What would be found by chance is not searched: see docs/seal/builder.md. */
export function traceNeedles(facts: BuilderFacts): TraceNeedles {
  const traces: Trace[] = [];
  const needles: Needle[] = [];
  const add = (
    what: string,
    isCertain: boolean,
    forms: readonly (readonly [string, Uint8Array, boolean])[],
  ): void => {
    const secret = traces.push({ what, isCertain }) - 1;
    const seen = new Set<string>();
    for (const [form, bytes, isWord] of forms) {
      const key = Buffer.from(bytes).toString('latin1');
      if (!seen.has(key)) needles.push({ secret, form, bytes, ...(isWord && { isWord }) });
      seen.add(key);
    }
  };
  const word = (text: string) => [['as it is', Buffer.from(text), true] as const];

  for (const name of new Set([facts.hostname, facts.hostname.split('.', 1)[0] as string]))
    if (isDistinctive(name)) add(`the host name ${name}`, true, word(name));
  for (const { name, home } of facts.users) {
    if (home.length > 3 && home !== '/root') add(`the home folder ${home}`, true, word(home));
    if (isDistinctive(name)) add(`the user name ${name}`, true, word(name));
  }
  for (const mac of facts.macs) if (!COMMON_MACS.has(mac)) add(`the MAC address ${mac}`, true, macForms(mac));
  for (const key of facts.publicKeys) {
    const [type = '', blob = '', ...comment] = key.split(/\s+/);
    if (blob.length < 40) continue;
    const said = comment.join(' ');
    add(`the public key ${type} ${said}`.trim(), true, [
      ['as it is', Buffer.from(blob), false],
      ...(COMMENT.test(said) ? [['by its comment', Buffer.from(said), true] as const] : []),
    ]);
  }
  for (const address of facts.addresses)
    if (!COMMON_ADDRESSES.test(address)) add(`the address ${address}`, false, word(address));
  return { traces, needles };
}

/** A name that is no word: long enough, with a digit or a sign in it. */
function isDistinctive(name: string): boolean {
  return name.length >= SHORTEST_NAME && /[0-9_.-]/.test(name) && !/^localhost\b/.test(name);
}

/** With colons, dashes, Cisco's dots and none; as EUI-64 ends an IPv6 address (RFC 4291, appendix A); as bytes. */
function macForms(mac: string): (readonly [string, Uint8Array, boolean])[] {
  const pairs = mac.split(':');
  const hex = pairs.join('');
  const bytes = Buffer.from(hex, 'hex');
  const interfaceId = Buffer.from([
    (bytes[0] as number) ^ 2,
    ...bytes.subarray(1, 3),
    0xff,
    0xfe,
    ...bytes.subarray(3),
  ])
    .toString('hex')
    .replace(/(....)(?=.)/g, '$1:')
    .replace(/(^|:)0+(?=[0-9a-f])/g, '$1');
  // systemd.net-naming-scheme(7): a card's name by its address.
  const texts = [mac, pairs.join('-'), hex.replace(/(....)(?=.)/g, '$1.'), hex, `enx${hex}`];
  return [
    ...texts
      .flatMap((text) => [text, text.toUpperCase()])
      .map((t) => ['as it is', Buffer.from(t), true] as const),
    ['in an IPv6 address', Buffer.from(interfaceId), true],
    ['as bytes', bytes, false],
  ];
}
