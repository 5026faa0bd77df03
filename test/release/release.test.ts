import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { frozenClock } from '../../src/core/clock.ts';
import { sha256 } from '../../src/core/digest.ts';
import { channelHistory } from '../../src/release/channel.ts';
import { releaseEvidence } from '../../src/release/evidence.ts';
import { listReleases, lookupRelease } from '../../src/release/lookup.ts';
import { compareVersions, versionTag } from '../../src/release/names.ts';
import { publishRelease } from '../../src/release/publish.ts';
import { openStore } from '../../src/release/release-store.ts';
import { releaseSpec } from '../../src/release/spec.ts';
import { type Desk, openDesk } from './helpers.ts';

let desk: Desk;
beforeEach(async () => {
  desk = await openDesk();
});
afterEach(() => desk[Symbol.asyncDispose]());

const publish = async (...args: Parameters<Desk['release']>): ReturnType<typeof publishRelease> =>
  await publishRelease(desk.store, await desk.release(...args), desk.ctx);

describe('publishRelease', () => {
  it('stores outputs under the version', async () => {
    const release = await publish('1.2.0', 'disk');
    expect(release).toMatchObject({
      name: 'web',
      version: '1.2.0',
      existed: false,
      outputs: [{ format: 'qcow2', file: 'web.qcow2', size: 4 }],
    });
    expect(await readFile(release.outputs[0]?.path ?? '', 'utf8')).toBe('disk');
  });

  it('is an OCI manifest of our artifact type with the facts as annotations', async () => {
    const { digest } = await publish('1.2.0', 'disk');
    const repository = desk.store.repository('web');
    const descriptor = await repository.resolve('1.2.0');
    expect(descriptor?.digest).toBe(digest);
    const manifest = (await new Response(await repository.fetch(descriptor!)).json()) as object;
    expect(manifest).toMatchObject({
      schemaVersion: 2,
      artifactType: 'application/vnd.ingot.release.v1+json',
      annotations: {
        'org.opencontainers.image.version': '1.2.0',
        'org.opencontainers.image.revision': 'abc',
      },
      layers: [{ annotations: { 'org.opencontainers.image.title': 'web.qcow2' } }],
    });
  });

  it('takes the same content again, whatever the order of outputs', async () => {
    const outputs = [await desk.output('qcow2', 'a'), await desk.output('vhd', 'b')];
    const first = await publish('1.2.0', '', { outputs });
    const again = await publish('1.2.0', '', { outputs: outputs.toReversed() });
    expect(again).toEqual({ ...first, existed: true });
  });

  it('takes new evidence for the same content', async () => {
    const evidence = (content: string): object => ({
      evidence: [
        { artifactType: 'application/vnd.ingot.tests', mediaType: 'text/plain', title: 't', content },
      ],
    });
    const first = await publish('1.2.0', 'disk', evidence('passed in 12 s'));
    const again = await publish('1.2.0', 'disk', evidence('passed in 13 s'));
    expect(again.digest).toBe(first.digest);
    const evidenceOf = await releaseEvidence(desk.store, first, 'application/vnd.ingot.tests');
    expect(evidenceOf.map((e) => e.title)).toEqual(['t', 't']);
    const texts = evidenceOf.map(async (e) =>
      new Response(await desk.store.repository('web').fetch(e.content)).text(),
    );
    expect((await Promise.all(texts)).sort()).toEqual(['passed in 12 s', 'passed in 13 s']);
  });

  it('takes a document that carries times only where it says something new, and has the newest first', async () => {
    const type = 'application/vnd.ingot.tests';
    const evidence = (facts: string, content: string): object => ({
      evidence: [{ artifactType: type, mediaType: 'text/plain', title: 't', content, facts: sha256(facts) }],
    });
    const at = async (seconds: number, facts: string, content: string): Promise<string[]> => {
      const release = await desk.release('1.2.0', 'disk', evidence(facts, content));
      const published = await publishRelease(desk.store, release, {
        ...desk.ctx,
        clock: frozenClock(seconds),
      });
      const found = await releaseEvidence(desk.store, published, type);
      const repository = desk.store.repository('web');
      return await Promise.all(
        found.map(async (e) => new Response(await repository.fetch(e.content)).text()),
      );
    };
    expect(await at(100, 'passed', 'in 12 s')).toEqual(['in 12 s']);
    expect(await at(200, 'passed', 'in 13 s')).toEqual(['in 12 s']);
    expect(await at(300, 'failed', 'in 14 s')).toEqual(['in 14 s', 'in 12 s']);
    expect(await at(400, 'passed', 'in 15 s')).toEqual(['in 15 s', 'in 14 s', 'in 12 s']);
  });

  it('refuses other content under the same version and says what differs', async () => {
    const first = await publish('1.2.0', 'disk');
    const other = publish('1.2.0', 'other', {
      outputs: [await desk.output('qcow2', 'other'), await desk.output('vhd', 'x')],
      annotations: { 'org.opencontainers.image.revision': 'def' },
    });
    await expect(other).rejects.toMatchObject({
      code: 'release/exists',
      message: expect.stringMatching(
        /output qcow2 was sha256:\w+…, is sha256:\w+…; output vhd is new; .*revision was abc, is def$/,
      ) as string,
    });
    expect((await lookupRelease(desk.store, 'web@1.2.0')).digest).toBe(first.digest);
  });

  it('does not publish a file that changed since it was measured', async () => {
    const output = {
      ...(await desk.output('qcow2', 'disk')),
      digest: (await desk.output('vhd', 'x')).digest,
      size: 4,
    };
    await expect(publish('1.2.0', '', { outputs: [output] })).rejects.toMatchObject({
      code: 'store/digest-mismatch',
    });
    expect(await desk.store.repositories()).toEqual([]);
  });

  it.each(['', 'a b', '../1', '-1', 'channel-dev', 'x'.repeat(129), '1/2', 'ü'])(
    'refuses the version %j',
    async (version) => {
      await expect(publish(version, 'disk')).rejects.toMatchObject({ code: 'release/bad-version' });
    },
  );

  it('refuses a bad channel before it stores anything', async () => {
    await expect(publish('1.0.0', 'disk', { channels: ['a b'] })).rejects.toMatchObject({
      code: 'release/bad-channel',
    });
    expect(await desk.store.repositories()).toEqual([]);
  });

  it('refuses a release without outputs, and a format twice', async () => {
    const output = await desk.output('raw', 'x');
    for (const outputs of [[], [output, output]]) {
      await expect(publish('1.0.0', '', { outputs })).rejects.toMatchObject({ code: 'release/bad-outputs' });
    }
  });
});

describe('channels', () => {
  it('move, keep their history, and stay where they are', async () => {
    const one = await publish('1.0.0', 'one', { channels: ['dev', 'prod'] });
    const two = await publish('1.1.0', 'two', { channels: ['dev'] });
    await publish('1.1.0', 'two', { channels: ['dev'] });
    const history = await channelHistory(desk.store, 'web', 'dev');
    expect(history.map((m) => m.release.digest)).toEqual([two.digest, one.digest]);
    expect(history[0]?.moved).toBe('2023-11-14T22:13:20.000Z');
    expect((await lookupRelease(desk.store, 'web@dev')).version).toBe('1.1.0');
    expect((await lookupRelease(desk.store, 'web@prod')).version).toBe('1.0.0');
    expect(await channelHistory(desk.store, 'web', 'staging')).toEqual([]);
  });

  it('keep every move of many at once', async () => {
    const releases = [];
    for (const n of [1, 2, 3, 4, 5])
      releases.push(await desk.release(`1.${n}.0`, `disk`, { channels: ['dev'] }));
    await Promise.all(releases.map((r) => publishRelease(desk.store, r, desk.ctx)));
    const history = await channelHistory(desk.store, 'web', 'dev');
    expect(new Set(history.map((m) => m.release.digest)).size).toBe(5);
  });
});

describe('lookup and list', () => {
  it('finds the highest version, not the last published', async () => {
    for (const version of ['1.9.0', '1.10.0', '1.10.1-rc.1', '1.2.0']) await publish(version, version);
    expect((await lookupRelease(desk.store, 'web')).version).toBe('1.10.1-rc.1');
    const listed = await listReleases(desk.store);
    expect(listed.map((r) => r.version)).toEqual(['1.10.1-rc.1', '1.10.0', '1.9.0', '1.2.0']);
  });

  it('lists several images with their channels', async () => {
    await publish('1.0.0', 'x', { channels: ['prod', 'dev'] });
    await publish('2.0.0', 'y', { name: 'team/db' });
    expect((await listReleases(desk.store)).map((r) => [r.name, r.version, r.channels])).toEqual([
      ['team/db', '2.0.0', []],
      ['web', '1.0.0', ['dev', 'prod']],
    ]);
    const [db] = await listReleases(desk.store, 'team/db');
    expect((await lookupRelease(desk.store, `team/db@${db?.digest}`)).version).toBe('2.0.0');
  });

  it('keeps a version with build metadata as it was written', async () => {
    await publish('1.0.0+3.gabc', 'x');
    expect((await lookupRelease(desk.store, 'web@1.0.0+3.gabc')).version).toBe('1.0.0+3.gabc');
  });

  it.each([
    ['wbe', 'release/unknown', 'Did you mean web?'],
    ['web@1.2.1', 'release/unknown', 'Did you mean web@1.2.0?'],
    ['web@prdo', 'release/unknown', 'Did you mean web@prod?'],
    [`web@sha256:${'0'.repeat(64)}`, 'release/unknown', undefined],
    ['web@', 'release/bad-reference', undefined],
    ['web@1@2', 'release/bad-reference', undefined],
    ['', 'release/bad-reference', undefined],
  ])('explains %j', async (reference, code, hint) => {
    await publish('1.2.0', 'disk', { channels: ['prod'] });
    const wanted = { code, ...(hint && { hint }) };
    await expect(lookupRelease(desk.store, reference)).rejects.toMatchObject(wanted);
  });

  it('says when a tag is no release', async () => {
    const repository = desk.store.repository('web');
    await publish('1.0.0', 'x', { channels: ['dev'] });
    await repository.tag((await repository.resolve('channel-dev'))!, '2.0.0');
    await expect(lookupRelease(desk.store, 'web@2.0.0')).rejects.toMatchObject({
      code: 'release/not-a-release',
    });
  });
});

describe('names', () => {
  it('orders versions as Semantic Versioning does', () => {
    // semver.org, section 11.4.4, and around it
    const ordered = [
      '0.9',
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-beta',
      '1.0.0-beta.2',
    ].concat(['1.0.0-beta.11', '1.0.0-rc.1', '1.0.0', '1.0.0+1', '1.2.0', '1.10.0', '20261121']);
    const shuffled = ordered.toReversed();
    expect(shuffled.sort(compareVersions)).toEqual(ordered);
  });

  it('orders any texts totally', () => {
    const version = fc.stringMatching(/^[0-9a-z.+-]{1,12}$/);
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        const sign = Math.sign;
        expect(sign(compareVersions(a, b))).toBe(-sign(compareVersions(b, a)) + 0);
        expect(compareVersions(a, b) === 0).toBe(a === b);
        if (compareVersions(a, b) < 0 && compareVersions(b, c) < 0)
          expect(compareVersions(a, c)).toBeLessThan(0);
      }),
    );
  });

  it('gives a tag that every registry takes', () => {
    expect(versionTag('1.0.0+3.gabc-dirty')).toBe('1.0.0_3.gabc-dirty');
  });
});

describe('openStore', () => {
  it.each(['', 'registry.example.org/web', 'oci-layout:', 'file:/x'])('refuses %j', async (location) => {
    await expect(openStore(location, desk.dir)).rejects.toMatchObject({ code: 'release/bad-store' });
  });

  it('starts relative folders at the base', async () => {
    expect((await openStore('oci-layout:./a/b', desk.dir)).location).toBe(`oci-layout:${desk.dir}/a/b`);
  });
});

describe('releaseSpec', () => {
  it('finds bad channels and stores', () => {
    const check = releaseSpec.check as unknown as (o: object) => { path: unknown }[];
    expect(check({ channels: ['dev'], store: 'oci-layout:./x' })).toEqual([]);
    expect(check({ channels: ['dev', 'a/b'], store: 's3://x' }).map((p) => p.path)).toEqual([
      ['channels', 1],
      ['store'],
    ]);
  });
});
