import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/core/digest.ts';
import { IngotError } from '../../src/core/error.ts';
import { openOciLayout } from '../../src/store/oci-layout.ts';
import { formatIndex, parseIndex } from '../../src/store/oci-layout-index.ts';
import { blobOf, contentStoreConformance, manifestOf, pushText } from '../conformance/content-store.ts';

contentStoreConformance('OCI image layout', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'ingot-layout-'));
  const store = (await openOciLayout(dir)).repository('web');
  return {
    store,
    async corrupt(descriptor) {
      const path = store.blobPath(descriptor);
      await chmod(path, 0o644);
      await writeFile(path, 'x'.repeat(descriptor.size));
    },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true }),
  };
});

describe('openOciLayout', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ingot-layout-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  const tagged = async (name: string, tag: string): Promise<void> => {
    const repository = (await openOciLayout(dir)).repository(name);
    const { text, descriptor } = manifestOf({ annotations: { name } });
    await pushText(repository, descriptor, text);
    await repository.tag(descriptor, tag);
  };

  it('writes a layout that other tools read', async () => {
    await tagged('web', '1.0.0');
    expect(JSON.parse(await readFile(join(dir, 'oci-layout'), 'utf8'))).toEqual({
      imageLayoutVersion: '1.0.0',
    });
    const index = JSON.parse(await readFile(join(dir, 'index.json'), 'utf8')) as { manifests: object[] };
    expect(index.manifests).toMatchObject([
      { annotations: { 'org.opencontainers.image.ref.name': 'web:1.0.0' } },
    ]);
    expect(await readdir(join(dir, 'blobs'))).toEqual(['sha256']);
    expect(await readdir(join(dir, '.ingot', 'staging'))).toEqual([]);
    expect(await readdir(join(dir, '.ingot', 'lock'))).toEqual([]);
  });

  it('writes nothing where it is only read', async () => {
    const layout = await openOciLayout(join(dir, 'none'));
    expect(await layout.repositories()).toEqual([]);
    expect(await layout.repository('web').tags()).toEqual([]);
    expect(await layout.repository('web').resolve('1.0.0')).toBeUndefined();
    expect(await readdir(dir)).toEqual([]);
  });

  it('keeps the tags of repositories apart', async () => {
    await tagged('web', '1.0.0');
    await tagged('team/web', '2.0.0');
    const layout = await openOciLayout(dir);
    expect(await layout.repositories()).toEqual(['team/web', 'web']);
    expect(await layout.repository('web').tags()).toEqual(['1.0.0']);
    expect(await layout.repository('web').resolve('2.0.0')).toBeUndefined();
  });

  it('keeps what other tools wrote into the index', async () => {
    await tagged('web', '1.0.0');
    const path = join(dir, 'index.json');
    const index = JSON.parse(await readFile(path, 'utf8')) as {
      manifests: Record<string, unknown>[];
      extra?: number;
    };
    index.manifests[0] = { ...index.manifests[0], platform: { os: 'linux', architecture: 'amd64' } };
    index.extra = 7;
    await writeFile(path, JSON.stringify(index));
    await tagged('db', '1.0.0');
    const after = JSON.parse(await readFile(path, 'utf8')) as typeof index;
    expect(after.extra).toBe(7);
    expect(after.manifests[0]).toMatchObject({ platform: { os: 'linux', architecture: 'amd64' } });
    expect(after.manifests).toHaveLength(2);
  });

  it.each(['', 'Web', '../x', 'a//b', 'a:b', '-a', 'a/', 'x'.repeat(201)])(
    'refuses the repository %j',
    async (name) => {
      const layout = await openOciLayout(dir);
      expect(() => layout.repository(name)).toThrow(IngotError);
    },
  );

  it('refuses a layout of another version', async () => {
    await writeFile(join(dir, 'oci-layout'), '{"imageLayoutVersion":"2.0.0"}');
    await expect(openOciLayout(dir)).rejects.toMatchObject({ code: 'store/not-a-layout' });
  });

  it('pushFile keeps holes and content', async () => {
    const source = join(dir, 'disk.raw');
    const size = 64 * 1024 * 1024;
    await writeFile(source, 'begin');
    await truncate(source, size);
    const content = Buffer.alloc(size);
    content.write('begin');
    const repository = (await openOciLayout(dir)).repository('web');
    const descriptor = { mediaType: 'application/octet-stream', digest: sha256(content), size };
    await repository.pushFile(descriptor, source);
    const stored = await stat(repository.blobPath(descriptor));
    expect(stored.size).toBe(size);
    expect(stored.blocks * 512).toBeLessThan(4 * 1024 * 1024);
    expect(stored.mode & 0o777).toBe(0o444);
    expect((await readFile(repository.blobPath(descriptor))).equals(content)).toBe(true);
    await expect(repository.pushFile(blobOf('other'), source)).rejects.toMatchObject({
      code: 'store/digest-mismatch',
    });
  });

  it('takes over from killed processes', async () => {
    await tagged('web', '1.0.0');
    // No process has this pid (pid_max is 2^22) but the right boot, and one that was killed half way left a file.
    const [own] = await claimOf(dir);
    const dead = own!.replace(/^\d+/, '4194305');
    await writeFile(join(dir, '.ingot', 'lock', dead), '');
    await writeFile(join(dir, '.ingot', 'staging', dead), 'half');
    await tagged('web', '1.1.0');
    expect(await readdir(join(dir, '.ingot', 'lock'))).toEqual([]);
    expect(await readdir(join(dir, '.ingot', 'staging'))).toEqual([]);
  });

  it('tags only over what was expected', async () => {
    await tagged('web', '1.0.0');
    const repository = (await openOciLayout(dir)).repository('web');
    const { text, descriptor } = manifestOf({ annotations: { other: 'yes' } });
    await pushText(repository, descriptor, text);
    const present = await repository.resolve('1.0.0');
    expect(await repository.tagIf(descriptor, '1.0.0', undefined)).toEqual(present);
    expect(await repository.tagIf(descriptor, '1.0.0', descriptor.digest)).toEqual(present);
    expect(await repository.tagIf(descriptor, '1.0.0', present!.digest)).toEqual(descriptor);
  });
});

/** The name of a claim that this process makes. */
async function claimOf(dir: string): Promise<string[]> {
  const { withLock } = await import('../../src/store/oci-layout-lock.ts');
  await mkdir(join(dir, 'probe'));
  return await withLock(join(dir, 'probe'), () => readdir(join(dir, 'probe')));
}

describe('index.json from outside', () => {
  const entry = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: sha256('x'), size: 1 };

  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['another schema', '{"schemaVersion":1,"manifests":[]}'],
    ['no manifests', '{"schemaVersion":2}'],
    [
      'a digest that climbs',
      JSON.stringify({ schemaVersion: 2, manifests: [{ ...entry, digest: 'sha256:../../etc' }] }),
    ],
    [
      'an upper-case digest',
      JSON.stringify({ schemaVersion: 2, manifests: [{ ...entry, digest: entry.digest.toUpperCase() }] }),
    ],
    ['a negative size', JSON.stringify({ schemaVersion: 2, manifests: [{ ...entry, size: -1 }] })],
    ['a fractional size', JSON.stringify({ schemaVersion: 2, manifests: [{ ...entry, size: 1.5 }] })],
    [
      'annotations that are no strings',
      JSON.stringify({ schemaVersion: 2, manifests: [{ ...entry, annotations: { a: {} } }] }),
    ],
    ['a null entry', '{"schemaVersion":2,"manifests":[null]}'],
    ['five megabytes', ' '.repeat(5 * 1024 * 1024)],
  ])('refuses %s', (_, text) => {
    expect(() => parseIndex(text, 'index.json')).toThrow(
      expect.objectContaining({ code: 'store/bad-index' }),
    );
  });

  it('gives its text back', () => {
    const text = formatIndex(
      parseIndex(JSON.stringify({ schemaVersion: 2, manifests: [{ ...entry, x: 1 }] }), 'i'),
    );
    expect(formatIndex(parseIndex(text, 'i'))).toBe(text);
    expect(JSON.parse(text)).toEqual({ schemaVersion: 2, manifests: [{ ...entry, x: 1 }] });
  });

  it('never throws anything but store/bad-index, and never touches prototypes', () => {
    const hostile = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((j) => `{"schemaVersion":2,"manifests":[${j}]}`),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        try {
          parseIndex(text, 'i');
        } catch (error) {
          expect(error).toMatchObject({ code: 'store/bad-index' });
        }
      }),
    );
    parseIndex('{"schemaVersion":2,"__proto__":{"polluted":1},"manifests":[]}', 'i');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});
