import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import type { Context } from '../core/context.ts';
import { type Digest, digestOf, hexOf } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';
import type { LayerChain } from '../core/layer.ts';
import type { Machine } from '../core/machine.ts';
import type { Pinned, PinContext, Source } from '../core/plugin.ts';
import { type Image, parsePlatform } from '../disk/oci/image.ts';
import { contextDigest, contextPaths, packContext } from './dockerfile/context.ts';
import {
  availableEngine,
  type BuiltImage,
  buildWith,
  DOCKERFILE_ENGINES,
  type DockerfileEngine,
  readDockerfile,
} from './dockerfile/engines.ts';
import { baseImage, stagesUpTo, usedImages, withImages } from './dockerfile/images.ts';
import { parseStages } from './dockerfile/parse.ts';
import { pinImages } from './dockerfile/pin-images.ts';
import { once, startOnImage } from './image-machine.ts';

const dockerfileSpec = bodySpec(
  {
    dockerfile: attr.string('The Dockerfile, relative to the template.', { default: 'Dockerfile' }),
    context: attr.string(
      "Folder that COPY and ADD read, relative to the template. Default: the Dockerfile's.",
    ),
    target: attr.string('The stage to build. Default: the last.'),
    arguments: attr.stringMap('Values of ARG.', { default: {} }),
    platform: attr.string('Platform to build for.', { default: 'linux/amd64' }),
    engine: attr.string('What builds. Default: buildah, or docker where only that is there.', {
      oneOf: DOCKERFILE_ENGINES,
    }),
    allow_unpinned: attr.bool('Takes images by tag, and locks their digests.', { default: false }),
    insecure: attr.bool('Registries are asked without TLS.', { default: false, unhashed: true }),
    boot: attr.bool('Run systemd while provisioning.', { default: false }),
  },
  {},
  (o): OptionProblem[] => {
    try {
      parsePlatform(o.platform);
      return [];
    } catch (error) {
      return [{ path: ['platform'], message: (error as Error).message }];
    }
  },
);

/** As pinned: the engine, the Dockerfile with digests, what it reads. */
type DockerfileOptions = OptionsOf<typeof dockerfileSpec> & {
  readonly pinned?: {
    readonly engine: DockerfileEngine;
    readonly text: string;
    readonly context: Digest;
  };
};

/** `source "dockerfile"`: starts from what a Dockerfile builds (docs/sources/dockerfile.md). */
export const dockerfileSource: Source<DockerfileOptions> = {
  type: 'dockerfile',
  version: 2,
  produces: 'rootfs',
  schema: () => Promise.resolve(dockerfileSpec),
  pin,
  start,
};

async function pin(options: DockerfileOptions, ctx: PinContext): Promise<Pinned<DockerfileOptions>> {
  const { dir, text, stages } = await read(options, ctx.templateDir);
  const base = baseImage(stages);
  const rules = { ...options, allowUnpinned: options.allow_unpinned };
  const images = await pinImages(usedImages(stages), base, rules, ctx);
  const pinned = {
    engine: (options.engine as DockerfileEngine | undefined) ?? availableEngine(ctx.host),
    text: withImages(text, stages, images),
    context: await contextDigest(dir, await contextPaths(dir, stages)),
  };
  return { options: { ...options, pinned }, ...(base !== undefined && { lockKey: ctx.step }) };
}

async function start(
  options: DockerfileOptions,
  base: LayerChain | undefined,
  ctx: Context,
): Promise<Machine> {
  const { pinned, boot } = options;
  if (!pinned) throw new IngotError('internal/unexpected', 'the source was started without being pinned');
  ctx.host.requireRoot('to build with owners and to start containers');
  await using scratch = await ctx.host.scratch(ctx.workDir, 'dockerfile-');
  const built = once(() => build(options, pinned, scratch.dir, ctx));
  const { target, arguments: given, platform } = options;
  const key = digestOf({
    version: dockerfileSource.version,
    ...pinned,
    target,
    given,
    platform,
    epoch: ctx.epoch,
  });
  let image = base && (await recall(ctx.cacheDir, key));
  if (!image) {
    image = (await built()).image;
    await remember(ctx.cacheDir, key, image);
  }
  return await startOnImage(image, async () => (await built()).origin, base, boot, ctx);
}

async function build(
  options: DockerfileOptions,
  pinned: NonNullable<DockerfileOptions['pinned']>,
  scratch: string,
  ctx: Context,
): Promise<BuiltImage> {
  const { dir, stages } = await read(options, ctx.templateDir);
  const context = join(scratch, 'context.tar');
  await packContext(dir, await contextPaths(dir, stages), context, ctx);
  const { target, platform, insecure } = options;
  const job = { dockerfile: pinned.text, context, platform, insecure, arguments: options.arguments };
  return await buildWith(
    pinned.engine,
    { ...job, dir: scratch, ...(target !== undefined && { target }) },
    ctx,
  );
}

async function read(options: DockerfileOptions, templateDir: string) {
  const path = resolve(templateDir, options.dockerfile);
  const text = await readDockerfile(path);
  const stages = stagesUpTo(parseStages(text, options.arguments), options.target);
  return {
    dir: options.context === undefined ? dirname(path) : resolve(templateDir, options.context),
    text,
    stages,
  };
}

/** The image that this build made before: a machine on layers that are there needs its variables, and no new build. */
async function recall(cacheDir: string, key: Digest): Promise<Image | undefined> {
  const path = join(cacheDir, 'dockerfile', `${hexOf(key)}.json`);
  return existsSync(path) ? (JSON.parse(await readFile(path, 'utf8')) as Image) : undefined;
}

async function remember(cacheDir: string, key: Digest, image: Image): Promise<void> {
  const path = join(cacheDir, 'dockerfile', `${hexOf(key)}.json`);
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.part`;
  await writeFile(temporary, JSON.stringify(image));
  await rename(temporary, path);
}
