import { type Decimal, isInteger, toBigInt } from '../value/number.ts';
import { listOf, NUMBER, STRING } from '../value/type.ts';
import { string, strings, type Value } from '../value/value.ts';
import { FunctionError, type FunctionSpec, param } from './function.ts';

/** An address block. `bits` is 32 or 128. */
interface Network {
  readonly address: bigint;
  readonly length: number;
  readonly bits: 32 | 128;
}

function parseAddress(text: string): { address: bigint; bits: 32 | 128 } | undefined {
  if (!text.includes(':')) {
    const parts = text.split('.');
    if (parts.length !== 4 || !parts.every((p) => /^[0-9]{1,3}$/.test(p) && Number(p) < 256))
      return undefined;
    return { address: parts.reduce((sum, p) => sum * 256n + BigInt(p), 0n), bits: 32 };
  }
  const plain = text.replace(/(^|:)([0-9]+(?:\.[0-9]+){3})$/, (whole, colon: string, v4: string) => {
    const inner = parseAddress(v4);
    if (!inner) return whole;
    return `${colon}${(inner.address >> 16n).toString(16)}:${(inner.address & 0xffffn).toString(16)}`;
  });
  const halves = plain.split('::');
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((h) => (h === '' ? [] : h.split(':')));
  const gap = 8 - head.length - tail.length;
  if (halves.length === 2 ? gap < 1 : gap !== 0) return undefined;
  const groups = [...head, ...Array<string>(halves.length === 2 ? gap : 0).fill('0'), ...tail];
  if (!groups.every((g) => /^[0-9a-fA-F]{1,4}$/.test(g))) return undefined;
  return { address: groups.reduce((sum, g) => sum * 65_536n + BigInt(`0x${g}`), 0n), bits: 128 };
}

function parseNetwork(text: string): Network {
  const [host = '', length = '', ...rest] = text.split('/');
  const parsed = parseAddress(host);
  if (!parsed || rest.length > 0 || !/^[0-9]{1,3}$/.test(length) || Number(length) > parsed.bits) {
    throw new FunctionError(
      `expected an address block such as "10.0.0.0/16"; got ${JSON.stringify(text)}`,
      0,
    );
  }
  const free = BigInt(parsed.bits - Number(length));
  return { address: (parsed.address >> free) << free, length: Number(length), bits: parsed.bits };
}

/** Dotted for IPv4; for IPv6 the longest run of zero groups as `::` (RFC 5952). */
function formatAddress(address: bigint, bits: 32 | 128): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 0xffn).join('.');
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((address >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  );
  let [best, length] = [-1, 1];
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (groups[i + run] === '0') run++;
    if (run > length) [best, length] = [i, run];
  }
  if (best === -1) return groups.join(':');
  return `${groups.slice(0, best).join(':')}::${groups.slice(best + length).join(':')}`;
}

function subnet(network: Network, newBits: number, index: bigint, argument: number): string {
  const length = network.length + newBits;
  if (newBits < 0 || length > network.bits) {
    throw new FunctionError(
      `${newBits} more bits do not fit: the block has /${network.length} of ${network.bits}`,
      1,
    );
  }
  if (index < 0n || index >> BigInt(newBits) !== 0n) {
    throw new FunctionError(
      `there is no subnet ${index}: ${newBits} bits make ${2n ** BigInt(newBits)}`,
      argument,
    );
  }
  return `${formatAddress(network.address | (index << BigInt(network.bits - length)), network.bits)}/${length}`;
}

/** The host of a number in a block; negative ones count from the end. */
function host(network: Network, index: bigint): string {
  const count = 1n << BigInt(network.bits - network.length);
  const at = index < 0n ? count + index : index;
  if (at < 0n || at >= count)
    throw new FunctionError(`there is no host ${index} in a block of ${count} addresses`, 1);
  return formatAddress(network.address | at, network.bits);
}

function netmask(network: Network): string {
  const full = (1n << BigInt(network.bits)) - 1n;
  const free = BigInt(network.bits - network.length);
  return formatAddress((full >> free) << free, network.bits);
}

/** Consecutive blocks that each have some bits more than the whole. */
function subnets(network: Network, bits: readonly number[]): string[] {
  let next = network.address;
  const end = network.address + (1n << BigInt(network.bits - network.length));
  return bits.map((more, i) => {
    const length = network.length + more;
    if (more < 1 || more > 32) throw new FunctionError('each number of new bits must be from 1 to 32', i + 1);
    if (length > network.bits) throw new FunctionError(`${more} more bits do not fit`, i + 1);
    const size = 1n << BigInt(network.bits - length);
    const start = ((next + size - 1n) / size) * size;
    if (start + size > end) throw new FunctionError('the block has no room for this subnet', i + 1);
    next = start + size;
    return `${formatAddress(start, network.bits)}/${length}`;
  });
}

function whole(value: Value | undefined, argument: number): bigint {
  const decimal = value?.data as Decimal;
  if (!isInteger(decimal)) throw new FunctionError('expected a whole number', argument);
  return toBigInt(decimal);
}

const prefix = param('prefix', STRING);
const network = (value: Value | undefined): Network => parseNetwork(value?.data as string);

/** Functions of IP address blocks (RFC 4632). */
export const networkFunctions: readonly FunctionSpec[] = [
  {
    name: 'cidrhost',
    parameters: [prefix, param('hostnum', NUMBER)],
    returns: STRING,
    call: ([p, n]) => string(host(network(p), whole(n, 1))),
  },
  { name: 'cidrnetmask', parameters: [prefix], returns: STRING, call: ([p]) => string(netmask(network(p))) },
  {
    name: 'cidrsubnet',
    parameters: [prefix, param('newbits', NUMBER), param('netnum', NUMBER)],
    returns: STRING,
    call: ([p, bits, n]) => string(subnet(network(p), Number(whole(bits, 1)), whole(n, 2), 2)),
  },
  {
    name: 'cidrsubnets',
    parameters: [prefix],
    rest: param('newbits', NUMBER),
    returns: listOf(STRING),
    call: ([p, ...bits]) =>
      strings(
        subnets(
          network(p),
          bits.map((b, i) => Number(whole(b, i + 1))),
        ),
      ),
  },
];
