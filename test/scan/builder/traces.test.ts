import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { proveUnnamed } from '../../../src/app/builder-proof.ts';
import { contextOf } from '../../../src/app/goss.ts';
import { openSession } from '../../../src/app/session.ts';
import type { BuildEvent } from '../../../src/core/event.ts';
import { type BuilderFacts, builderFacts, findBuilderTraces } from '../../../src/scan/builder-traces.ts';

const BLOB = 'AAAAC3NzaC1lZDI1NTE5AAAAIHJJ1bDgXIGiQEPxrFqZcjFn103TwXBwjsW8MVe7AFVq';
const FACTS: BuilderFacts = {
  hostname: 'build-17.example.org',
  users: [{ name: 'a.turing', home: '/home/a.turing' }],
  macs: ['00:16:3e:0a:bc:de'],
  addresses: ['10.20.30.40', '127.0.0.1', '10.0.2.15', '192.0.2.2', '2001:db8::7'],
  publicKeys: [`ssh-ed25519 ${BLOB} ada@laptop`],
};

let dir: string;
let ctx: ReturnType<typeof contextOf>;
const events: BuildEvent[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-builder-'));
  events.length = 0;
  ctx = contextOf(
    openSession(
      { emit: (e) => events.push(e), signal: new AbortController().signal },
      { INGOT_CACHE_DIR: join(dir, 'cache') },
    ),
  );
});
afterEach(() => rmSync(dir, { recursive: true }));

const plant = (path: string, data: string | Uint8Array): void => {
  const host = join(dir, 'root', path);
  mkdirSync(dirname(host), { recursive: true });
  writeFileSync(host, data);
};
const find = async (facts = FACTS) =>
  (await findBuilderTraces(join(dir, 'root'), facts, ctx)).map(({ what, path }) => `${what}: ${path}`);

describe('each trace is found', () => {
  test.each([
    ['the host name', 'relayhost = [build-17]:25\n', 'the host name build-17'],
    ['it with its domain', 'myhostname=build-17.example.org', 'the host name build-17.example.org'],
    ['the user name', 'author: a.turing\n', 'the user name a.turing'],
    ['the home folder', 'prefix=/home/a.turing/src', 'the home folder /home/a.turing'],
    ['a MAC address', 'HWADDR=00:16:3E:0A:BC:DE', 'the MAC address 00:16:3e:0a:bc:de'],
    ['with dashes', 'wlan-00-16-3e-0a-bc-de', 'the MAC address 00:16:3e:0a:bc:de'],
    ["in Cisco's form", 'mac 0016.3e0a.bcde', 'the MAC address 00:16:3e:0a:bc:de'],
    ['without signs', 'enx00163e0abcde ', 'the MAC address 00:16:3e:0a:bc:de'],
    ['in an IPv6 address', 'fe80::216:3eff:fe0a:bcde/64', 'the MAC address 00:16:3e:0a:bc:de'],
    [
      'as bytes',
      Buffer.from([0, 1, 0, 1, 0x00, 0x16, 0x3e, 0x0a, 0xbc, 0xde]),
      'the MAC address 00:16:3e:0a:bc:de',
    ],
    ['a public key', `ssh-ed25519 ${BLOB}`, 'the public key ssh-ed25519 ada@laptop'],
    ["a key's comment", 'by ada@laptop', 'the public key ssh-ed25519 ada@laptop'],
    ['an address', 'nameserver 10.20.30.40\n', 'the address 10.20.30.40'],
    ['what is packed', gzipSync('built on build-17'), 'the host name build-17'],
  ])('%s', async (_, data, what) => {
    plant('etc/planted', data);
    expect(await find()).toContain(`${what}: /etc/planted`);
  });

  test('in names of files and targets of links', async () => {
    plant('etc/build-17.conf', 'nothing');
    symlinkSync('/home/a.turing/x', join(dir, 'root/etc/link'));
    expect(await find()).toEqual(
      expect.arrayContaining([
        'the host name build-17: the name of /etc/build-17.conf',
        'the home folder /home/a.turing: /etc/link',
      ]),
    );
  });
});

test.each([
  ['a part of another word', 'rebuild-179 xa.turings 110.20.30.401 a00163e0abcdef'],
  ['what every machine has', '127.0.0.1 10.0.2.15 localhost /root'],
])('%s is no trace', async (_, text) => {
  plant('etc/planted', text);
  expect(await find()).toEqual([]);
});

test('names that are words of any text are not searched', async () => {
  plant('etc/planted', 'debian builder vm admin root /root 00:00:00:00:00:00');
  const common = {
    hostname: 'debian',
    users: [{ name: 'admin', home: '/root' }],
    macs: ['00:00:00:00:00:00'],
  };
  expect(await find({ ...FACTS, ...common })).toEqual([]);
});

test('an image that names its builder fails, one that holds an address is told', async () => {
  plant('etc/resolv.conf', 'nameserver 10.20.30.40\n');
  await proveUnnamed(join(dir, 'root'), FACTS, ctx);
  expect(events).toMatchObject([{ type: 'diagnostic', diagnostic: { code: 'seal/names-address' } }]);
  plant('etc/mailname', 'build-17.example.org\n');
  await expect(proveUnnamed(join(dir, 'root'), FACTS, ctx)).rejects.toMatchObject({
    code: 'seal/names-builder',
    output: expect.arrayContaining(['the host name build-17.example.org is in /etc/mailname']) as string[],
  });
});

test('facts of this machine can be read, root is no name, and a folder of keys may be missing', () => {
  const facts = builderFacts({ SUDO_USER: 'grace' });
  expect(facts.users.map(({ name }) => name)).toContain('grace');
  expect(facts.users.map(({ name }) => name)).not.toContain('root');
  expect(facts.hostname).not.toBe('');
  expect(facts.macs.every((mac) => /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac))).toBe(true);
});
