import { isIP } from 'node:net';

/** Most bits of a prefix, by the version of IP. */
const BITS = { 4: 32, 6: 128 } as const;

/** Formats of the network schemas. */
export const NETWORK_FORMATS = {
  address: (text: string): boolean => isIP(text) !== 0,
  cidr: isCidr,
  'address-or-cidr': (text: string): boolean => isIP(text) !== 0 || isCidr(text),
} as const;

/** `10.0.0.5/24`, `fd00::5/64`. */
function isCidr(text: string): boolean {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  if (!match) return false;
  const version = isIP(match[1] as string);
  return version !== 0 && Number(match[2]) <= BITS[version as 4 | 6];
}
