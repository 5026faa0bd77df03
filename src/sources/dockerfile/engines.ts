import { createReadStream, existsSync, mkdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Context, note } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';
import { openDockerArchive } from '../../disk/oci/docker-archive.ts';
import type { Image, ImageOrigin } from '../../disk/oci/image.ts';
import { DockerEngine } from '../../machines/docker/engine.ts';
import { proxyVariables } from '../../store/http/proxy-variables.ts';
import { buildahStorage, touchStorage } from './buildah-storage.ts';
import type { DockerfileEngine } from './options.ts';

export interface BuildJob {
  /** With every image pinned. */
  readonly dockerfile: string;
  /** Archive of the context. */
  readonly context: string;
  readonly target?: string;
  readonly arguments: Readonly<Record<string, string>>;
  readonly platform: string;
  readonly insecure: boolean;
  /** Empty folder for what is written on the way and for the result. */
  readonly dir: string;
}

export interface BuiltImage {
  readonly image: Image;
  readonly origin: ImageOrigin;
}

/** The engine that is there; buildah where both are, since its layers are the same from run to run. */
export function availableEngine(host: Pick<Host, 'requireTool'>): DockerfileEngine {
  try {
    host.requireTool('buildah');
    return 'buildah';
  } catch (cause) {
    if (existsSync(new DockerEngine().socketPath)) return 'docker';
    throw new IngotError(
      'host/missing-tool',
      'a Dockerfile needs buildah or a Docker engine, and neither is here',
      {
        hint: 'apt-get install buildah; or start Docker, or name its socket in DOCKER_HOST=unix://PATH.',
        cause,
      },
    );
  }
}

/** Builds, and answers the image in an archive below `job.dir`. */
export async function buildWith(engine: DockerfileEngine, job: BuildJob, ctx: Context): Promise<BuiltImage> {
  return engine === 'buildah' ? await withBuildah(job, ctx) : await withDocker(job, ctx);
}

/**
 * One buildah at a time on a storage, so that what a killed one left can be removed; mounts are in a namespace that
 * ends with it. $1 storage, $2 run folder, $3 result.
 */
const SCRIPT = `set -eu
b() { buildah --root "$storage" --runroot "$run" --storage-driver overlay "$@"; }
storage=$1 run=$2 result=$3
shift 3
b rm --all >/dev/null
b bud --iidfile "$run/iid" "$@"
b push --quiet "$(cat "$run/iid")" "docker-archive:$result"
`;

/**
 * buildah(1) as root: --timestamp sets every time in layers and configuration, so that equal steps are equal bytes.
 * Docker's format, since OCI's has no place for SHELL and HEALTHCHECK.
 */
async function withBuildah(job: BuildJob, ctx: Context): Promise<BuiltImage> {
  const { dir: storage, lock } = buildahStorage(ctx.cacheDir);
  const at = (name: string): string => join(job.dir, name);
  for (const path of [storage, at('run'), at('context')]) mkdirSync(path, { recursive: true });
  await touchStorage(ctx.cacheDir);
  await ctx.host.run('tar', ['--extract', `--file=${job.context}`, `--directory=${at('context')}`]);
  await writeFile(at('Dockerfile'), job.dockerfile);
  const args = [
    '--layers',
    '--isolation=chroot',
    '--format=docker',
    '--identity-label=false',
    '--network=host',
    `--timestamp=${ctx.epoch}`,
    `--platform=${job.platform}`,
    `--tls-verify=${String(!job.insecure)}`,
    `--file=${at('Dockerfile')}`,
    ...(job.target === undefined ? [] : [`--target=${job.target}`]),
    ...Object.entries(buildArguments(job, ctx)).map(([key, value]) => `--build-arg=${key}=${value}`),
    at('context'),
  ];
  const result = at('image.tar');
  ctx.host.requireTool('buildah');
  const script = ['/bin/sh', '-c', SCRIPT, 'sh', storage, at('run'), result, ...args];
  await ctx.host
    .run('flock', [lock, 'unshare', '--mount', '--propagation=private', '--', ...script], {
      // For base images and what RUN fetches; it writes them into no layer (buildah-build(1), --http-proxy).
      env: proxyVariables(process.env),
      onLine: (_stream, line) => note(ctx, line),
      signal: ctx.signal,
    })
    .catch((error: unknown) => {
      ctx.signal.throwIfAborted();
      throw failed('buildah', error);
    });
  return await openDockerArchive(result);
}

/** Name of our Dockerfile in the context, which engines see only there. */
const DOCKERFILE = '.ingot.Dockerfile';

async function withDocker(job: BuildJob, ctx: Context): Promise<BuiltImage> {
  const engine = new DockerEngine();
  await writeFile(join(job.dir, DOCKERFILE), job.dockerfile);
  await writeFile(join(job.dir, '.dockerignore'), `${DOCKERFILE}\n.dockerignore\n`);
  const added = ['--append', `--file=${job.context}`, `--directory=${job.dir}`, DOCKERFILE, '.dockerignore'];
  await ctx.host.run('tar', added);
  let id = '';
  const query = {
    dockerfile: DOCKERFILE,
    buildargs: JSON.stringify(buildArguments(job, ctx)),
    forcerm: 1,
    target: job.target,
    // Engines take it as experimental; their own platform needs no word.
    platform: job.platform === 'linux/amd64' ? undefined : job.platform,
  };
  const request = {
    method: 'POST' as const,
    query,
    headers: { 'content-type': 'application/x-tar' },
    body: createReadStream(job.context),
    signal: ctx.signal,
  };
  await engine
    .follow('/build', request, ({ stream, aux }) => {
      if (typeof aux?.ID === 'string') id = aux.ID;
      const line = stream?.trimEnd();
      if (line) note(ctx, line);
    })
    .catch((error: unknown) => {
      ctx.signal.throwIfAborted();
      if (error instanceof IngotError && error.code === 'machine/docker-unreachable') throw error;
      throw failed('docker', error);
    });
  const result = join(job.dir, 'image.tar');
  await engine.save(id, result, ctx.signal);
  return await openDockerArchive(result);
}

function buildArguments(job: BuildJob, ctx: Context): Record<string, string> {
  return { SOURCE_DATE_EPOCH: String(ctx.epoch), ...job.arguments };
}

function failed(engine: DockerfileEngine, error: unknown): IngotError {
  const { message, output } = error as IngotError;
  const said = output?.findLast((line) => line.startsWith('Error: '))?.slice('Error: '.length);
  return new IngotError(
    'source/build-failed',
    `${engine} could not build the Dockerfile: ${said ?? message}`,
    {
      hint: 'The instruction that failed, and what it printed, stand above.',
      output: output ?? [],
      cause: error,
    },
  );
}

/** The Dockerfile's text. Throws `source/bad-dockerfile`. */
export async function readDockerfile(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new IngotError('source/bad-dockerfile', `the Dockerfile ${path} cannot be read`, {
      hint: 'Name it in `dockerfile`, relative to the template.',
      cause,
    });
  });
}
