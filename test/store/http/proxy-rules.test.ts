import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { proxyFor } from '../../../src/store/http/proxy-rules.ts';
import { type Environment, proxySecrets } from '../../../src/store/http/proxy-variables.ts';

const PROXY = 'http://proxy.test:3128';
const wayOf = (url: string, env: Environment): string | undefined => proxyFor(new URL(url), env)?.url.href;

describe('which variable counts', () => {
  test.each<[string, Environment, string, string | undefined]>([
    ['none', {}, 'https://a.test/', undefined],
    ['https_proxy', { https_proxy: PROXY }, 'https://a.test/', `${PROXY}/`],
    ['HTTPS_PROXY', { HTTPS_PROXY: PROXY }, 'https://a.test/', `${PROXY}/`],
    ['HTTP_PROXY', { HTTP_PROXY: PROXY }, 'http://a.test/', `${PROXY}/`],
    ['the other scheme', { http_proxy: PROXY }, 'https://a.test/', undefined],
    ['lower case first', { http_proxy: PROXY, HTTP_PROXY: 'http://b' }, 'http://a.test/', `${PROXY}/`],
    ['an empty one, which is none', { http_proxy: '', HTTP_PROXY: PROXY }, 'http://a.test/', undefined],
    ['one without a scheme', { http_proxy: 'proxy.test:3128' }, 'http://a.test/', `${PROXY}/`],
    ['with TLS', { https_proxy: 'https://p.test' }, 'https://a.test/', 'https://p.test/'],
  ])('%s', (_, env, url, expected) => expect(wayOf(url, env)).toBe(expected));
});

describe('no_proxy', () => {
  test.each<[string, string, boolean]>([
    ['*', 'http://a.test', true],
    ['a.test', 'http://a.test', true],
    ['a.test', 'http://b.a.test', true],
    ['.a.test', 'http://a.test', true],
    ['*.a.test', 'http://b.a.test', true],
    ['a.test.', 'http://A.test.', true],
    ['A.TEST', 'http://a.test', true],
    ['a.test', 'http://ba.test', false],
    ['test.a', 'http://a.test', false],
    ['x, a.test', 'http://a.test', true],
    ['x a.test', 'http://a.test', true],
    ['a.test:8080', 'http://a.test:8080', true],
    ['a.test:8080', 'http://a.test', false],
    ['a.test:80', 'http://a.test', true],
    ['10.0.0.0/8', 'http://10.255.0.1', true],
    ['10.0.0.0/8', 'http://11.0.0.1', false],
    ['10.0.0.0/8:80', 'http://10.0.0.1', true],
    ['10.0.0.0/33', 'http://10.0.0.1', false],
    ['10.0.0.1', 'http://10.0.0.1', true],
    ['10.0.0.1', 'http://10.0.0.10', false],
    ['0.1', 'http://10.0.0.1', false],
    ['2001:db8::/32', 'http://[2001:db8::7]', true],
    ['[2001:DB8::7]:81', 'http://[2001:db8::7]:81', true],
    ['[2001:db8::7]:81', 'http://[2001:db8::7]', false],
    ['2001:db8::7', 'http://[2001:db8::8]', false],
    ['', 'http://a.test', false],
    [',.,:80,/,[', 'http://a.test', false],
  ])('%j before %s: %s', (list, url, isDirect) => {
    for (const name of ['no_proxy', 'NO_PROXY'])
      expect(wayOf(url, { http_proxy: PROXY, [name]: list })).toBe(isDirect ? undefined : `${PROXY}/`);
  });

  test('a network is what its first bits say', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 1, max: 32 }), (address, network, bits) => {
        const of = (text: string): bigint =>
          text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n) >> BigInt(32 - bits);
        fc.pre(!/^(127|169\.254)\./.test(address));
        const direct = wayOf(`http://${address}`, { http_proxy: PROXY, no_proxy: `${network}/${bits}` });
        expect(direct === undefined).toBe(of(address) === of(network));
      }),
    );
  });

  test('whatever it holds, it is read', () => {
    fc.assert(
      fc.property(fc.string(), (no_proxy) => {
        wayOf('http://a.test', { http_proxy: PROXY, no_proxy });
      }),
    );
  });
});

test.each([
  'localhost',
  'db.localhost',
  '127.0.0.1',
  '127.9.9.9',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '169.254.169.254',
  '[fe80::1]',
  '[fd00:ec2::254]',
  'metadata.google.internal',
])('%s is asked by no proxy', (host) => {
  expect(wayOf(`http://${host}/`, { http_proxy: PROXY })).toBeUndefined();
});

describe('user and password', () => {
  const url = new URL('http://a.test');
  test.each([
    ['http://me:p%40ss@proxy.test:3128', 'me:p@ss', ['p%40ss', 'p@ss']],
    ['me:secret@proxy.test:3128', 'me:secret', ['secret', 'secret']],
    ['http://me:50%@proxy.test:3128', 'me:50%', ['50%', '50%']],
    ['http://me@proxy.test:3128', 'me:', []],
  ])('%s', (http_proxy, login, secrets) => {
    const proxy = proxyFor(url, { http_proxy });
    const encoded = Buffer.from(login).toString('base64');
    expect(proxy).toEqual({ url: new URL(PROXY), authorization: `Basic ${encoded}` });
    expect(proxySecrets({ HTTPS_PROXY: http_proxy })).toEqual(
      secrets.length > 0 ? [...secrets, encoded] : [],
    );
  });

  test.each(['socks5://me:secret@proxy.test', 'http://me:secret@', 'http://me:secret@host:port', 'ftp://x'])(
    '%s names no HTTP proxy; the password is not in the message',
    (http_proxy) => {
      const thrown = expect(() => proxyFor(url, { http_proxy }));
      thrown.toThrow(expect.objectContaining({ code: 'store/bad-proxy' }));
      thrown.toThrow(/^(?!.*secret).*expected http:\/\/HOST:PORT$/);
      expect(proxySecrets({ http_proxy })).toEqual(
        http_proxy.includes('secret') ? expect.arrayContaining(['secret']) : [],
      );
    },
  );
});
