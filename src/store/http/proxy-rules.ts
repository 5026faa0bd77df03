import { BlockList, isIP } from 'node:net';
import { IngotError } from '../../core/error.ts';
import { encodedLogin, type Environment, valueOf, withScheme } from './proxy-variables.ts';

/** An HTTP proxy, and who we are to it. */
export interface Proxy {
  /** Without user and password: it may be shown. */
  readonly url: URL;
  /** The header `proxy-authorization`, where the address has a user. */
  readonly authorization?: string;
}

/** What no proxy can reach for us, or would answer in its own name: this machine, and a cloud's metadata. */
const OWN_NAMES = ['localhost', 'metadata.google.internal'];
const OWN_ADDRESSES = new BlockList();
OWN_ADDRESSES.addSubnet('127.0.0.0', 8);
OWN_ADDRESSES.addAddress('::1', 'ipv6');
OWN_ADDRESSES.addSubnet('169.254.0.0', 16);
OWN_ADDRESSES.addSubnet('fe80::', 10, 'ipv6');
OWN_ADDRESSES.addAddress('fd00:ec2::254', 'ipv6');

/**
 * The proxy that requests for `target` go through, by `http_proxy`, `https_proxy` and `no_proxy`; lower case goes before
 * upper. Throws `store/bad-proxy` for an address that names no HTTP proxy.
 */
export function proxyFor(target: URL, environment: Environment): Proxy | undefined {
  const name = target.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const text = valueOf(environment, name);
  if (text === '') return undefined;
  const host = bareHost(target.hostname);
  if (isOwn(host)) return undefined;
  const port = target.port || (target.protocol === 'https:' ? '443' : '80');
  const exceptions = valueOf(environment, 'no_proxy')
    .toLowerCase()
    .split(/[\s,]+/);
  if (exceptions.some((entry) => covers(entry, host, port))) return undefined;
  return parseProxy(name, text);
}

/** The name of a URL's host: without the brackets of an IPv6 address, and the dot that ends a full name. */
export function bareHost(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}

function isOwn(host: string): boolean {
  if (contains(OWN_ADDRESSES, host)) return true;
  return OWN_NAMES.some((name) => host === name || host.endsWith(`.${name}`));
}

/** An entry of `no_proxy` as curl has them: `*`, a name with all below it, an address, a network; each with a port, or not. */
function covers(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  // An IPv6 address without brackets has no port.
  const match = /^(?:\[(.+)\]|([^:]*))(?::(\d+))?$/.exec(entry);
  const own = match?.[3];
  if (own !== undefined && own !== port) return false;
  const what = match?.[1] ?? match?.[2] ?? entry;
  if (isIP(host) !== 0) return contains(listOf(what), host);
  const name = bareHost(what.replace(/^\*?\./, ''));
  return name !== '' && (host === name || host.endsWith(`.${name}`));
}

/** `10.1.2.3` or `10.0.0.0/8`, IPv6 alike; nothing for what is neither. */
function listOf(text: string): BlockList {
  const list = new BlockList();
  const [address = '', bits] = text.split('/');
  const version = isIP(address);
  if (version === 0) return list;
  const family = version === 6 ? 'ipv6' : 'ipv4';
  const most = version === 6 ? 128 : 32;
  if (bits === undefined) list.addAddress(address, family);
  else if (/^\d{1,3}$/.test(bits) && Number(bits) <= most) list.addSubnet(address, Number(bits), family);
  return list;
}

function contains(list: BlockList, host: string): boolean {
  const version = isIP(host);
  return version !== 0 && list.check(host, version === 6 ? 'ipv6' : 'ipv4');
}

function parseProxy(name: string, text: string): Proxy {
  const address = withScheme(text);
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    // What was given may hold a password.
    const what = url ? `has an address that begins with ${url.protocol}//` : 'is no address';
    throw new IngotError('store/bad-proxy', `the variable ${name} ${what}; expected http://HOST:PORT`, {
      hint: 'User and password go before the host, percent-encoded: http://USER:PASSWORD@HOST:PORT',
    });
  }
  const login = url.username === '' ? undefined : encodedLogin(url);
  url.username = '';
  url.password = '';
  return { url, ...(login !== undefined && { authorization: `Basic ${login}` }) };
}
