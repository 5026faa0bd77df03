import { readdir } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { createHash } from 'node:crypto';
import type { Descriptor } from '../../core/descriptor.ts';
import { canonicalJson } from '../../core/digest.ts';
import { feed } from './feed.ts';
import type { Sink } from './gzip-file.ts';
import { GZIP_LEVEL, gzipStream } from './gzip-stream.ts';
import { titleOf } from './identity.ts';
import { bytesOf, type LayerChunk, layerChunks } from './layer-tar.ts';
import { PackedPieces } from './packed-pieces.ts';
import { imageConfig, imageLabels } from './oci-config.ts';
import { tarOf } from './tar-source.ts';
import { TarWriter } from './tar-writer.ts';
import type { RootfsJob } from './types.ts';
import type { OciOptions } from './oci.ts';

/** Writes one such archive. */
export async function writeOci(job: RootfsJob<OciOptions>): Promise<void> {
  const tar = new TarWriter(job.file, job.epoch);
  const blob = async (
    mediaType: string,
    fill: (sink: Sink, start: number) => Promise<void>,
  ): Promise<Descriptor> => {
    const { size, sha256 } = await tar.add(fill, (hex) => `blobs/sha256/${hex}`);
    return { mediaType, digest: `sha256:${sha256}`, size };
  };
  const json = (mediaType: string, value: unknown) =>
    blob(mediaType, (sink) => sink.write(Buffer.from(canonicalJson(value))));

  const layers: Descriptor[] = [];
  const diffIds: string[] = [];
  const mediaType = `application/vnd.oci.image.layer.v1.tar+${job.options.compression}`;
  layers.push(
    await blob(mediaType, async (sink, start) => void diffIds.push(await writeLayer(sink, start, job))),
  );
  const labels = { ...imageLabels(job.stamp, job.epoch), ...job.options.labels };
  const { options, epoch, rootfs } = job;
  const config = imageConfig({ options, base: rootfs.settings ?? {}, labels, diffIds, epoch });
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: await json('application/vnd.oci.image.config.v1+json', config),
    layers,
    annotations: labels,
  };
  const described = await json(manifest.mediaType, manifest);
  const ref = titleOf(job.stamp).version ?? 'latest';
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        ...described,
        platform: { architecture: job.options.architecture, os: 'linux' },
        annotations: { 'org.opencontainers.image.ref.name': ref.replace(/[^A-Za-z0-9._-]/g, '_') },
      },
    ],
  };
  await tar.add(
    (sink) => sink.write(Buffer.from(canonicalJson(index))),
    () => 'index.json',
  );
  await tar.add(
    (sink) => sink.write(Buffer.from('{"imageLayoutVersion":"1.0.0"}')),
    () => 'oci-layout',
  );
  await tar.finish();
}

/** Writes a layer's compressed archive; answers the digest of the archive before compression, its diff id. */
async function writeLayer(sink: Sink, start: number, job: RootfsJob<OciOptions>): Promise<string> {
  const { dir } = job.rootfs;
  const names = (await readdir(dir)).sort();
  const sha = createHash('sha256');
  async function* hashed(): AsyncGenerator<LayerChunk> {
    for await (const chunk of layerChunks(tarOf(dir, names, job.epoch, job.ctx), job.epoch)) {
      sha.update(chunk.bytes);
      yield chunk;
    }
  }
  if (job.options.compression === 'gzip') await gzipLayer(hashed(), sink, start, job);
  else await zstdStream(hashed(), sink, job);
  return `sha256:${sha.digest('hex')}`;
}

async function gzipLayer(
  source: AsyncIterable<LayerChunk>,
  sink: Sink,
  start: number,
  { keptAs, pool, ctx }: RootfsJob<OciOptions>,
): Promise<void> {
  if (keptAs === undefined) return await gzipStream(source, sink, pool);
  using pieces = await PackedPieces.open(ctx, GZIP_LEVEL);
  await gzipStream(source, sink, pool, { pieces, path: keptAs, start });
  await pieces.save();
}

async function zstdStream(
  source: AsyncIterable<LayerChunk>,
  sink: Sink,
  { ctx }: RootfsJob<unknown>,
): Promise<void> {
  await using scratch = await ctx.host.scratch(ctx.workDir, 'zstd-');
  const path = `${scratch.dir}/layer.zst`;
  await feed(bytesOf(source), 'zstd', ['-q', '-T0', '-o', path], ctx);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }))
    await sink.write(chunk as Buffer);
}
