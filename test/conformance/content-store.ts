import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ContentStore } from '../../src/core/content-store.ts';
import type { Descriptor } from '../../src/core/descriptor.ts';
import { sha256 } from '../../src/core/digest.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

export interface OpenedStore extends AsyncDisposable {
  readonly store: ContentStore;
  /** Breaks the stored bytes of `descriptor`, keeping their length; left out where a test cannot reach them. */
  corrupt?(descriptor: Descriptor): Promise<void>;
}

export function blobOf(content: string, mediaType = 'application/octet-stream'): Descriptor {
  return { mediaType, digest: sha256(content), size: Buffer.byteLength(content) };
}

export function manifestOf(fields: object): { text: string; descriptor: Descriptor } {
  const text = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, ...fields });
  return { text, descriptor: blobOf(text, MANIFEST) };
}

export async function pushText(
  store: Pick<ContentStore, 'push'>,
  descriptor: Descriptor,
  text: string,
): Promise<void> {
  await store.push(descriptor, () => new Blob([text]).stream());
}

const read = async (stream: ReadableStream<Uint8Array>): Promise<string> => await new Response(stream).text();

/** What every ContentStore must do. */
export function contentStoreConformance(name: string, open: () => Promise<OpenedStore>): void {
  describe(`ContentStore: ${name}`, () => {
    let opened: OpenedStore;
    let store: ContentStore;
    const hello = blobOf('hello');
    const config = blobOf('{}', 'application/vnd.oci.empty.v1+json');

    const pushManifest = async (fields: object): Promise<Descriptor> => {
      await pushText(store, config, '{}');
      const { text, descriptor } = manifestOf({ config, layers: [], ...fields });
      await pushText(store, descriptor, text);
      return descriptor;
    };

    beforeEach(async () => {
      opened = await open();
      store = opened.store;
    });
    afterEach(() => opened[Symbol.asyncDispose]());

    it('gives back what was pushed', async () => {
      expect(await store.has(hello)).toBe(false);
      await pushText(store, hello, 'hello');
      expect(await store.has(hello)).toBe(true);
      expect(await read(await store.fetch(hello))).toBe('hello');
    });

    it('gives ranges', async () => {
      await pushText(store, hello, 'hello');
      expect(await read(await store.fetch(hello, { start: 1, end: 4 }))).toBe('ell');
      expect(await read(await store.fetch(hello, { start: 4, end: 5 }))).toBe('o');
    });

    it('stores empty content', async () => {
      await pushText(store, blobOf(''), '');
      expect(await read(await store.fetch(blobOf('')))).toBe('');
    });

    it('does not ask for content that it has', async () => {
      await pushText(store, hello, 'hello');
      let asked = 0;
      await store.push(hello, () => {
        asked++;
        return new Blob(['hello']).stream();
      });
      expect(asked).toBe(0);
    });

    it.each(['hellO', 'hell', 'hello!', ''])('refuses %j under the digest of "hello"', async (wrong) => {
      await expect(pushText(store, hello, wrong)).rejects.toMatchObject({ code: 'store/digest-mismatch' });
      expect(await store.has(hello)).toBe(false);
    });

    it('keeps nothing of a body that fails', async () => {
      const failing = new ReadableStream<Uint8Array>({
        pull: (c) => c.error(new Error('the network went away')),
      });
      await expect(store.push(hello, () => failing)).rejects.toThrow('the network went away');
      expect(await store.has(hello)).toBe(false);
    });

    it('says what it does not have', async () => {
      await expect(store.fetch(hello)).rejects.toMatchObject({ code: 'store/not-found' });
    });

    it('notices damaged content', async (context) => {
      if (!opened.corrupt) return context.skip();
      await pushText(store, hello, 'hello');
      await opened.corrupt(hello);
      await expect(store.fetch(hello).then(read)).rejects.toMatchObject({ code: 'store/corrupt' });
    });

    it('tags, moves tags and takes them away', async () => {
      const one = await pushManifest({ annotations: { n: '1' } });
      const two = await pushManifest({ annotations: { n: '2' } });
      expect(await store.resolve('v1')).toBeUndefined();
      await store.tag(one, 'v1');
      await store.tag(one, 'latest');
      expect(await store.resolve('v1')).toEqual(one);
      await store.tag(two, 'latest');
      expect(await store.resolve('latest')).toEqual(two);
      expect(await store.tags()).toEqual(['latest', 'v1']);
      await store.untag('latest');
      expect(await store.tags()).toEqual(['v1']);
      expect(await read(await store.fetch(two))).toContain('"n":"2"');
    });

    it('does not tag what is not there', async () => {
      await expect(store.tag(manifestOf({ gone: true }).descriptor, 'v1')).rejects.toMatchObject({
        code: 'store/not-found',
      });
      expect(await store.tags()).toEqual([]);
    });

    it.each(['', 'a b', '../x', '-x', 'a:b', 'x'.repeat(129)])('refuses the tag %j', async (tag) => {
      const one = await pushManifest({});
      await expect(store.tag(one, tag)).rejects.toMatchObject({ code: 'store/bad-tag' });
    });

    it('refuses a manifest that names missing content', async () => {
      const { text, descriptor } = manifestOf({ config: blobOf('nowhere'), layers: [] });
      await expect(pushText(store, descriptor, text)).rejects.toMatchObject({ code: 'store/incomplete' });
      expect(await store.has(descriptor)).toBe(false);
    });

    it('finds referrers by subject and type', async () => {
      const subject = await pushManifest({});
      const report = await pushManifest({ subject, artifactType: 'application/vnd.test.report' });
      const sbom = await pushManifest({ subject, artifactType: 'application/vnd.test.sbom' });
      const digests = async (type?: string): Promise<string[]> =>
        (await store.referrers(subject.digest, type)).map((d) => d.digest).sort();
      expect(await digests()).toEqual([report.digest, sbom.digest].sort());
      expect(await digests('application/vnd.test.sbom')).toEqual([sbom.digest]);
      expect(await store.referrers(sbom.digest)).toEqual([]);
    });

    it('deletes content and the tags that point to it', async () => {
      const one = await pushManifest({});
      await store.tag(one, 'v1');
      await store.delete(one);
      expect(await store.has(one)).toBe(false);
      expect(await store.resolve('v1')).toBeUndefined();
    });

    it('keeps all of many writers', async () => {
      const manifests = await Promise.all(
        Array.from({ length: 8 }, async (_, i) => {
          const manifest = await pushManifest({ annotations: { n: String(i) } });
          await store.tag(manifest, `v${i}`);
          return manifest;
        }),
      );
      expect(await store.tags()).toEqual(['v0', 'v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7']);
      expect(await store.resolve('v5')).toEqual(manifests[5]);
    });
  });
}
