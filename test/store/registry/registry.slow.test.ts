import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ByteRange } from '../../../src/core/content-store.ts';
import type { Descriptor } from '../../../src/core/descriptor.ts';
import { hexOf } from '../../../src/core/digest.ts';
import type { Credentials } from '../../../src/store/registry/credentials.ts';
import { openRegistry, type RegistryRepository } from '../../../src/store/registry/registry.ts';
import { blobOf, manifestOf, pushText } from '../../conformance/content-store.ts';
import { haveRegistry, RealRegistry } from './real-registry.ts';

const text = async (store: RegistryRepository, descriptor: Descriptor, range?: ByteRange): Promise<string> =>
  await new Response(await store.fetch(descriptor, range)).text();
const none = async (): Promise<Credentials | undefined> => undefined;

describe.skipIf(!haveRegistry)('a real registry (package docker-registry)', () => {
  let registry: RealRegistry;
  let count = 0;
  beforeAll(async () => {
    registry = await RealRegistry.start();
  });
  afterAll(() => registry.stop());

  const open = (repository = `test/r${count++}`) =>
    openRegistry({ host: registry.host, repository, credentials: none, insecure: true });

  test('gives back what was pushed, in whole and by range', async () => {
    const store = open();
    const hello = blobOf('hello');
    expect(await store.has(hello)).toBe(false);
    await Promise.all(Array.from({ length: 4 }, () => pushText(store, hello, 'hello')));
    expect(await store.has(hello)).toBe(true);
    expect(await text(store, hello)).toBe('hello');
    expect(await text(store, hello, { start: 1, end: 4 })).toBe('ell');
  });

  test('gives a manifest by tag and by digest', async () => {
    const store = open();
    const config = blobOf('{}', 'application/vnd.oci.empty.v1+json');
    await pushText(store, config, '{}');
    const { descriptor, text: manifest } = manifestOf({ config, layers: [] });
    await pushText(store, descriptor, manifest);
    await store.tag(descriptor, 'v1');
    expect(await store.resolve('v1')).toEqual(descriptor);
    expect(await store.resolve(descriptor.digest)).toEqual(descriptor);
    expect(await store.resolve('v2')).toBeUndefined();
  });

  test('content that was damaged there, and content that is another, is refused', async () => {
    const store = open();
    const secret = blobOf('damaged');
    await pushText(store, secret, 'damaged');
    writeFileSync(registry.blobPath(hexOf(secret.digest)), 'x'.repeat(secret.size));
    await expect(text(store, secret)).rejects.toMatchObject({ code: 'store/digest-mismatch' });
    await expect(pushText(store, blobOf('aaaaa'), 'bbbbb')).rejects.toThrow();
    expect(await store.has(blobOf('aaaaa'))).toBe(false);
  });

  test('a registry without TLS is not asked unless that was said', async () => {
    const store = openRegistry({ host: registry.host, repository: 'a', credentials: none });
    await expect(store.resolve('latest')).rejects.toMatchObject({ code: 'store/unreachable' });
  });
});

describe.skipIf(!haveRegistry)('a real registry that wants a login', () => {
  let registry: RealRegistry;
  beforeAll(async () => {
    registry = await RealRegistry.start({ user: 'me', password: 'secret' });
  });
  afterAll(() => registry.stop());

  test.each<[string, Credentials | undefined, string | undefined]>([
    ['right', { username: 'me', password: 'secret' }, undefined],
    ['wrong', { username: 'me', password: 'wrong' }, 'store/unauthorized'],
    ['missing', undefined, 'store/unauthorized'],
  ])('%s credentials', async (_what, credentials, code) => {
    const store = openRegistry({
      host: registry.host,
      repository: 'a',
      insecure: true,
      credentials: async () => credentials,
    });
    const pushed = pushText(store, blobOf('hello'), 'hello').then(
      () => undefined,
      (error: { code?: string }) => error.code,
    );
    expect(await pushed).toBe(code);
  });
});
