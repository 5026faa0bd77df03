import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256 } from '../../../src/core/digest.ts';
import type { LockedImage } from '../../../src/core/lock.ts';
import { publishRelease } from '../../../src/release/publish.ts';
import { openStore } from '../../../src/release/release-store.ts';
import { ingotSource } from '../../../src/sources/ingot.ts';
import { archiveOf } from '../../disk/oci/archives.ts';
import { busyboxMembers } from '../oci/busybox.ts';
import { type SourceContext, sourceContext } from '../oci/context.ts';

let c: SourceContext;
beforeEach(() => {
  c = sourceContext('ingot.app');
});
afterEach(() => c[Symbol.dispose]());

const options = (release: string) => ({ release, store: 'oci-layout:releases', boot: false });

async function publish(
  version: string,
  format: string,
  annotations: Record<string, string> = {},
): Promise<void> {
  mkdirSync(join(c.dir, version));
  const bytes = execFileSync('zstd', ['-q', '-c'], {
    input: archiveOf([...busyboxMembers(), { path: 'etc/version', data: version }]),
    maxBuffer: 2 ** 26,
  });
  const path = join(c.dir, version, 'file');
  writeFileSync(path, bytes);
  const store = await openStore('oci-layout:releases', c.dir);
  const output = {
    format,
    path,
    digest: sha256(bytes),
    size: bytes.length,
    mediaType: 'application/octet-stream',
  };
  const created = { 'org.opencontainers.image.created': '2024-01-02T03:04:05Z', ...annotations };
  await publishRelease(
    store,
    { name: 'base', version, outputs: [output], annotations: created, channels: ['dev'], evidence: [] },
    c.run(),
  );
}

test('a rootfs output becomes a layer; a channel is locked as the release that it points to', async () => {
  const below = `vendor@9@sha256:${'a'.repeat(64)}`;
  await publish('1.0.0', 'rootfs', { 'dev.ingot.ancestry': `${below} nonsense` });
  const { options: pinned, lockKey } = await ingotSource.pin(options('base@dev'), c.pin());
  const entry = c.lock.entries[lockKey as string] as LockedImage;
  expect(entry).toMatchObject({ image: 'base@1.0.0', date: 1_704_164_645 });
  expect(entry.ancestry?.map((a) => `${a.name}@${a.version}`)).toEqual(['base@1.0.0', 'vendor@9']);

  await publish('2.0.0', 'rootfs');
  expect((await ingotSource.pin(options('base@dev'), c.pin({ mode: 'locked' }))).options).toEqual(pinned);
  expect(await ingotSource.outdated?.(options('base@dev'), c.pin())).toMatchObject([
    { name: 'base', locked: '1.0.0', available: '2.0.0' },
  ]);
  await using machine = await ingotSource.start(pinned, undefined, c.run());
  expect((await machine.communicator.exec(['cat', '/etc/version'])).stdout).toBe('1.0.0');
});

test('a release without a filesystem is no base', async () => {
  await publish('1.0.0', 'qcow2');
  await expect(ingotSource.pin(options('base@1.0.0'), c.pin())).rejects.toMatchObject({
    code: 'source/no-filesystem',
  });
  await expect(ingotSource.pin(options('base@3'), c.pin())).rejects.toMatchObject({
    code: 'release/unknown',
  });
  await expect(ingotSource.pin(options('base'), c.pin({ mode: 'locked' }))).rejects.toMatchObject({
    code: 'source/not-locked',
  });
});
