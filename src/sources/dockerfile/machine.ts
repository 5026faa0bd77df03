import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Context } from '../../core/context.ts';
import { type Digest, digestOf, hexOf } from '../../core/digest.ts';
import { IngotError } from '../../core/error.ts';
import type { LayerChain } from '../../core/layer.ts';
import type { Machine } from '../../core/machine.ts';
import type { Pinned, PinContext } from '../../core/plugin.ts';
import { replaceFile } from '../../core/replace-file.ts';
import type { Image } from '../../disk/oci/image.ts';
import { contextDigest, contextPaths, packContext } from './context.ts';
import { availableEngine, type BuiltImage, buildWith, readDockerfile } from './engines.ts';
import { baseImage, stagesUpTo, usedImages, withImages } from './images.ts';
import { parseStages } from './parse.ts';
import { pinImages } from './pin-images.ts';
import { dockerfileSource } from '../dockerfile.ts';
import { once, startOnImage } from '../image-machine.ts';
import type { DockerfileEngine, DockerfileOptions } from './options.ts';

/** Locks the images that the Dockerfile uses, and says what it reads. */
export async function pin(options: DockerfileOptions, ctx: PinContext): Promise<Pinned<DockerfileOptions>> {
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

/** Builds the image where need be, and starts a container on it. */
export async function startMachine(
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
  await replaceFile(path, JSON.stringify(image));
}
