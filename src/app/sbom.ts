import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Rootfs } from '../core/rootfs.ts';
import { openRootfs } from '../host/index.ts';
import { readOsRelease } from '../scan/packages/os-release.ts';
import { inventoryForSbom, renderSbom, type SbomFormat } from '../scan/sbom.ts';
import { type ImageRequest, openImage, releaseOf } from './open-image.ts';
import { recoverAll } from './recover.ts';
import { type Deps, openSession } from './session.ts';

export interface SbomOptions extends ImageRequest {
  readonly format: SbomFormat;
}

/** `ingot sbom`: the bill of materials that was released with an image, else one of what is in it now. */
export async function sbom(o: SbomOptions, deps: Deps): Promise<string> {
  const released = existsSync(resolve(o.image)) ? undefined : await releasedSbom(o, deps);
  if (released !== undefined) return released;
  const session = openSession(deps);
  await recoverAll(session.paths);
  await using image = await openImage(o, session, deps);
  const root = openRootfs(image.dir);
  const inventory = inventoryForSbom(root);
  const { imageId, imageVersion } = readOsRelease(root);
  const subject = {
    name: image.release?.name ?? imageId ?? basename(o.image),
    version: image.release?.version ?? imageVersion ?? '0',
    epoch: epochOf(root),
  };
  return renderSbom(o.format, inventory, subject);
}

async function releasedSbom(o: SbomOptions, deps: Deps): Promise<string | undefined> {
  const release = await releaseOf(o, deps);
  const path = release.outputs.find((output) => output.format === o.format)?.path;
  return path === undefined ? undefined : await readFile(path, 'utf8');
}

/** The date of the build, from its stamp; of other images, of the last change to their packages. */
function epochOf(root: Rootfs): number {
  if (root.exists('/etc/image-release')) {
    const [, written] = /^BUILD_DATE="([^"]+)"$/m.exec(root.readText('/etc/image-release', 65_536)) ?? [];
    const date = Date.parse(written ?? '');
    if (!Number.isNaN(date)) return Math.floor(date / 1000);
  }
  const times = ['/var/lib/dpkg/status', '/lib/apk/db/installed', '/etc/os-release'].flatMap(
    (path) => root.lstat(path)?.mtimeMs ?? [],
  );
  return Math.max(0, Math.floor((times[0] ?? 0) / 1000));
}
