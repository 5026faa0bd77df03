import { createReadStream, createWriteStream } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Artifact } from '../../core/artifact.ts';
import { type Context, note } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import type { LayerChain } from '../../core/layer.ts';
import type { Machine } from '../../core/machine.ts';
import { replaceFileBy } from '../../core/replace-file.ts';
import { packFolder } from '../../machines/container/upload.ts';
import { startDockerContainer } from '../../machines/docker.ts';
import { DockerEngine } from '../../machines/docker/engine.ts';
import { discardImages } from '../../machines/docker/image-artifact.ts';
import { registryAuth } from '../../machines/docker/registry-auth.ts';
import { containerOf } from './container.ts';
import type { DockerOptions } from './options.ts';

/** Packer's builder ids of an image in the engine, and of an archive. */
const IMPORTED = 'packer.post-processor.docker-import';
const EXPORTED = 'packer.docker';

/** Pulls or builds the image, and starts a container of it. */
export async function startMachine(
  options: DockerOptions,
  _base: LayerChain | undefined,
  ctx: Context,
): Promise<Machine> {
  const engine = new DockerEngine();
  const image = options.build ? await buildImage(engine, options.build, ctx) : (options.image as string);
  if (!options.build && options.pull) await pull(engine, image, options, ctx);
  const machine = await startDockerContainer(
    engine,
    {
      ...containerOf(options, image, ctx.templateDir),
      generated: new Map([['SourceImageDigest', await digestOfImage(engine, image)]]),
      finish: (container) => finish(engine, container, options, ctx),
      ...(options.platform !== undefined && { platform: options.platform }),
      ...(options.exec_user !== undefined && { execUser: options.exec_user }),
    },
    ctx,
  );
  if (options.pause_before_connecting !== undefined)
    await sleep(options.pause_before_connecting, undefined, { signal: ctx.signal });
  return machine;
}

async function pull(
  engine: DockerEngine,
  image: string,
  options: DockerOptions,
  ctx: Context,
): Promise<void> {
  const hasTag = image.includes('@') || image.lastIndexOf(':') > image.lastIndexOf('/');
  const fromImage = hasTag ? image : `${image}:latest`;
  const request = {
    method: 'POST' as const,
    query: { fromImage, platform: options.platform },
    headers: await registryAuth(image, options, ctx.host),
    signal: ctx.signal,
  };
  await engine.follow('/images/create', request, ({ status, id }) => {
    if (status && !/^(Downloading|Extracting|Waiting)$/.test(status))
      note(ctx, id ? `${id}: ${status}` : status);
  });
}

/** Builds the image to start from, and answers its id. */
async function buildImage(
  engine: DockerEngine,
  build: NonNullable<DockerOptions['build']>,
  ctx: Context,
): Promise<string> {
  const at = (path: string): string => (isAbsolute(path) ? path : join(ctx.templateDir, path));
  const file = at(build.path);
  const dir = at(build.build_dir ?? '.');
  const dockerfile = relative(dir, file);
  if (dockerfile.startsWith('..')) {
    throw new IngotError(
      'source/outside-context',
      `the Dockerfile ${build.path} is not below build_dir ${dir}`,
      {
        hint: 'Name a build_dir that holds it: the engine sees nothing else. Default: the folder of the template.',
      },
    );
  }
  await using scratch = await ctx.host.scratch(ctx.workDir, 'context-');
  const archive = join(scratch.dir, 'context.tar');
  await packFolder(`${dir}/`, archive, [], ctx);
  let id = '';
  const request = {
    method: 'POST' as const,
    query: {
      dockerfile,
      buildargs: JSON.stringify(build.arguments),
      platform: build.platform,
      ...(build.pull && { pull: 1 }),
      forcerm: 1,
    },
    headers: { 'content-type': 'application/x-tar' },
    body: createReadStream(archive),
    signal: ctx.signal,
  };
  await engine.follow('/build', request, ({ stream, aux }) => {
    if (typeof aux?.ID === 'string') id = aux.ID;
    const line = stream?.trimEnd();
    if (line) note(ctx, line);
  });
  if (id === '')
    throw new IngotError('internal/unexpected', 'the Docker engine built an image and gave no id');
  return id;
}

async function digestOfImage(engine: DockerEngine, image: string): Promise<string> {
  const path = `/images/${encodeURIComponent(image).replaceAll('%2F', '/').replaceAll('%3A', ':')}/json`;
  const { RepoDigests, Id } = await engine.json<{ RepoDigests?: string[] | null; Id: string }>(path);
  return RepoDigests?.[0]?.split('@')[1] ?? Id;
}

async function finish(
  engine: DockerEngine,
  container: string,
  o: DockerOptions,
  ctx: Context,
): Promise<Artifact> {
  if (o.export_path !== undefined) return await exportTo(engine, container, o.export_path, ctx);
  if (o.discard)
    return { builderId: EXPORTED, id: 'Container', files: [], description: 'The container was discarded' };
  const query = {
    container,
    author: o.author,
    comment: o.message,
    // The engine takes an empty list of changes for a mistake.
    ...(o.changes.length > 0 && { changes: o.changes.join('\n') }),
  };
  const { Id } = await engine.json<{ Id: string }>('/commit', {
    method: 'POST',
    query: { ...query, pause: 1 },
    signal: ctx.signal,
  });
  const discard = discardImages(engine, [Id]);
  return { builderId: IMPORTED, id: Id, files: [], description: `Imported Docker image: ${Id}`, discard };
}

/** Writes the container's filesystem; the file is there when it is whole. */
async function exportTo(
  engine: DockerEngine,
  container: string,
  path: string,
  ctx: Context,
): Promise<Artifact> {
  const target = isAbsolute(path) ? path : join(ctx.templateDir, path);
  await replaceFileBy(target, async (partial) => {
    const response = await engine.request(`/containers/${container}/export`, { signal: ctx.signal });
    await pipeline(response, createWriteStream(partial));
  });
  return {
    builderId: EXPORTED,
    id: 'Container',
    files: [target],
    description: `Exported Docker file: ${target}`,
  };
}
