import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { hexOf } from '../../core/digest.ts';
import { IngotError } from '../../core/error.ts';
import type { LayerChain } from '../../core/layer.ts';
import type { LockedApt } from '../../core/lock.ts';
import type { Machine } from '../../core/machine.ts';
import { Scope } from '../../core/scope.ts';
import { startContainer } from '../../machines/container.ts';
import { placesOf } from './archive-memory.ts';
import { aptCache, type BlobCache } from './blobs.ts';
import { bootstrap } from './bootstrap.ts';
import { fetchPackages } from './download.ts';
import { LockedArchive } from './locked-archive.ts';
import type { MmdebstrapOptions, Variant } from './options.ts';
import { impliedPackages } from './pin.ts';
import { type ArchiveProxy, proxyConfig, startArchiveProxy } from './proxy.ts';

/** Where apt reads our settings; the file is mounted, and never part of a layer. */
const APT_CONFIG = '/etc/apt/apt.conf.d/00ingot-build';

/**
 * A container on the locked system: on `base`, or, without it, on a system bootstrapped now. While it runs,
 * apt inside sees the locked state of the archive.
 */
export async function startMachine(
  options: MmdebstrapOptions,
  base: LayerChain | undefined,
  ctx: Context,
): Promise<Machine> {
  ctx.host.requireRoot('to unpack packages with their owners and to configure them in a container');
  const cache = aptCache(ctx);
  const entry = await readEntry(options, cache);
  await using scope = new Scope();
  const scratch = scope.use(await ctx.host.scratch(ctx.workDir, 'mmdebstrap-'), "the source's folder");
  let upper: string | undefined;
  if (!base) {
    await fetchPackages(entry.packages, () => placesOf(entry, ctx), cache, ctx);
    upper = join(scratch.dir, 'root');
    await mkdir(upper, { mode: 0o755 });
    const asked = [...options.packages, ...impliedPackages(options)].map((name) =>
      name.replace(/[:=].*$/, ''),
    );
    await bootstrap({ entry, variant: options.variant as Variant, asked: new Set(asked) }, upper, cache, ctx);
  }
  const binds = [];
  let proxy: ArchiveProxy | undefined;
  if (entry.packages.some((pkg) => pkg.name === 'apt')) {
    const archive = new LockedArchive(entry, placesOf(entry, ctx), cache, ctx);
    proxy = scope.use(await startArchiveProxy(archive, ctx), "apt's proxy");
    const config = join(scratch.dir, 'apt.conf');
    await writeFile(config, proxyConfig(proxy.port), { mode: 0o644 });
    binds.push({ source: config, target: APT_CONFIG });
  }
  const container = await startContainer(
    { base: base ?? [], boot: options.boot, binds, ...(upper !== undefined && { upper }) },
    ctx,
  );
  scope.use(container, 'the container');
  return ownedBy(container, proxy, scope.move());
}

async function readEntry(options: MmdebstrapOptions, cache: BlobCache): Promise<LockedApt> {
  const hex = options.locked === undefined ? undefined : hexOf(options.locked);
  if (hex === undefined || !cache.has(hex)) {
    throw new IngotError(
      'apt/not-pinned',
      'the source was started without a lock entry in the package cache',
      {
        hint: 'Plan and build with the same cache folder.',
      },
    );
  }
  return JSON.parse(await readFile(cache.path(hex), 'utf8')) as LockedApt;
}

/** The container, whose end is the end of all that it stands on. */
function ownedBy(container: Machine, proxy: ArchiveProxy | undefined, scope: Scope): Machine {
  return {
    kind: container.kind,
    os: container.os,
    communicator: container.communicator,
    generated: container.generated,
    get chain() {
      return container.chain;
    },
    reboot: async () => container.reboot?.(),
    snapshot: async (into) => container.snapshot?.(into),
    ...(container.leave && {
      async leave() {
        const left = await container.leave?.();
        await proxy?.[Symbol.asyncDispose]();
        scope.move();
        return left;
      },
    }),
    finish: () => container.finish(),
    [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
  };
}
