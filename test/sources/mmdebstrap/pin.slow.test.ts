import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../../src/core/host.ts';
import type { Lock, LockedApt } from '../../../src/core/lock.ts';
import { wantedSuites } from '../../../src/sources/mmdebstrap/archives.ts';
import { readHostSources } from '../../../src/sources/mmdebstrap/host-sources.ts';
import { mmdebstrapSource as source } from '../../../src/sources/mmdebstrap.ts';
import { optionsWith, testContext } from './context.ts';

/** A host on which nothing may run. */
const noHost = new Proxy({} as Host, {
  get: (_target, name) => () => {
    throw new Error(`host.${String(name)} was used`);
  },
});
const nowhere = ['http://127.0.0.1:47/debian'];

/** Passes requests on to the host's mirrors; altered as the first part of the path says. */
let mirror: Server;
let base: string;

beforeAll(async () => {
  const suites = wantedSuites({ ...optionsWith(), hostSources: readHostSources });
  const upstream = (archive: string) =>
    (archive === 'debian-security' ? suites.at(-1) : suites[0])?.bases[0] ?? '';
  mirror = createServer(async (request, response) => {
    const match = /^\/(\w+)\/(?:.*\/)?(debian|debian-security)(?:\/\d{8}T\d{6}Z)?\/(dists|pool)\/(.*)$/.exec(
      request.url ?? '',
    );
    if (!match) return response.writeHead(404).end();
    const [, way, archive = '', kind, rest] = match;
    const answer = await fetch(`${upstream(archive)}/${kind}/${rest}`);
    let bytes = Buffer.from(await answer.arrayBuffer());
    if (way === 'altered' && rest?.endsWith('InRelease')) {
      bytes = Buffer.from(bytes.toString('latin1').replace('Origin: Debian', 'Origin: Nobody'), 'latin1');
    }
    if (way === 'unsigned' && rest?.endsWith('InRelease')) {
      bytes = Buffer.from(
        bytes
          .toString('latin1')
          .split('\n')
          .slice(3)
          .join('\n')
          .replace(/-----BEGIN[^]*/, ''),
        'latin1',
      );
    }
    if (way === 'broken' && rest?.includes('by-hash')) bytes.fill(0, 100, 200);
    response.writeHead(answer.status).end(bytes);
  });
  await new Promise<void>((resolve) => mirror.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(mirror.address() as AddressInfo).port}`;
});

afterAll(async () => {
  mirror.closeAllConnections();
  await new Promise((resolve) => mirror.close(resolve));
});

describe('a source that is pinned', () => {
  test('is resolved once; from then on nothing runs and nothing is fetched', async () => {
    const lock: Lock = { version: 1, entries: {} };
    using ctx = testContext(lock);
    const options = optionsWith({ packages: ['nginx-light'], kernel: 'linux-image-cloud-amd64' });
    const first = await source.pin(options, ctx.pin());
    const entry = lock.entries['mmdebstrap.web'] as LockedApt;
    expect(first.lockKey).toBe('mmdebstrap.web');
    expect(entry.suites.map((s) => `${s.archive} ${s.suite}`)).toEqual([
      'debian bookworm',
      'debian bookworm-updates',
      'debian-security bookworm-security',
    ]);
    const names = entry.packages.map((p) => p.name);
    expect(names).toEqual([...names].sort());
    expect(names).toEqual(
      expect.arrayContaining(['bash', 'apt', 'nginx-light', 'linux-image-cloud-amd64', 'systemd-sysv']),
    );
    expect(entry.tools.map((p) => p.name)).toEqual(
      expect.arrayContaining(['grub-pc-bin', 'grub-efi-amd64-bin']),
    );
    // No mirror in lock or options.
    expect(JSON.stringify([lock, first])).not.toMatch(/https?:/);

    const before = JSON.stringify(lock);
    const second = await source.pin(
      { ...options, mirrors: nowhere },
      ctx.pin({ host: noHost, mode: 'locked' }),
    );
    expect(second).toEqual(first);
    expect(JSON.stringify(lock)).toBe(before);

    await expect(
      source.pin(optionsWith({ packages: ['sudo'] }), ctx.pin({ mode: 'locked' })),
    ).rejects.toMatchObject({ code: 'apt/not-locked' });

    expect(await source.outdated?.(options, ctx.pin())).toEqual([]);
    const old = entry.packages.map((p) => (p.name === 'bash' ? { ...p, version: '1.0' } : p));
    const stale: Lock = { version: 1, entries: { 'mmdebstrap.web': { ...entry, packages: old } } };
    expect(await source.outdated?.(options, ctx.pin({ lock: stale }))).toEqual([
      expect.objectContaining({ name: 'bash', locked: '1.0', security: false }),
    ]);
  });

  test('comes from a snapshot, whose age is meant', async () => {
    using ctx = testContext();
    const options = optionsWith({ variant: 'essential', snapshot: '2020-01-02', mirrors: [`${base}/plain`] });
    const later = { now: () => new Date(Date.now() + 400 * 86_400_000) };
    const pinned = await source.pin(options, ctx.pin({ clock: later }));
    expect(JSON.stringify(pinned)).not.toContain('127.0.0.1');
  });
});

test.each([
  [
    'a package that is not there',
    { packages: ['ngnix-light'] },
    'apt/no-package',
    /Did you mean "nginx-light"/,
  ],
  ['a version that is not there', { packages: ['nginx-light=1.0'] }, 'apt/unresolvable', /Drop or change/],
  [
    'packages that exclude each other',
    { packages: ['systemd-sysv', 'sysvinit-core'] },
    'apt/unresolvable',
    /Drop or change/,
  ],
  ['a suite that is not there', { suite: 'bokworm' }, 'apt/no-suite', /Check suite/],
  ['a component that is not there', { components: ['mian'] }, 'apt/no-component', /contrib.*main/],
  ['a mirror that is not there', { mirrors: nowhere }, 'apt/mirror-unreachable', /mirrors = \[/],
  ['a keyring without the key', { keyring: '/dev/null' }, 'apt/bad-signature', /keyring/],
  [
    'a keyring that is not there',
    { keyring: '/nonexistent.gpg' },
    'apt/no-keyring',
    /debian-archive-keyring/,
  ],
  ['another architecture', { arch: 'arm64' }, 'apt/arch', /amd64/],
])('%s is an error that says what to do', async (_name, changes, code, hint) => {
  using ctx = testContext();
  const error = await source.pin(optionsWith(changes), ctx.pin()).catch((e: unknown) => e);
  expect(error).toMatchObject({ code, hint: expect.stringMatching(hint) });
});

test.each([
  ['altered', 'apt/bad-signature', /does not fit the content/],
  ['unsigned', 'apt/bad-signature', /no signature/],
  ['broken', 'apt/hash-mismatch', /expected/],
])('an %s archive is refused, and the lock is as it was', async (way, code, message) => {
  const lock: Lock = { version: 1, entries: {} };
  using ctx = testContext(lock);
  const options = optionsWith({ mirrors: [`${base}/${way}/debian`] });
  const error = await source.pin(options, ctx.pin()).catch((e: unknown) => e);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  expect(lock.entries).toEqual({});
});

test('an archive past its Valid-Until is refused when the lock moves', async () => {
  using ctx = testContext();
  const clock = { now: () => new Date(Date.now() + 400 * 86_400_000) };
  await expect(source.pin(optionsWith(), ctx.pin({ clock }))).rejects.toMatchObject({ code: 'apt/expired' });
});
