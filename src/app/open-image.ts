import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { IngotError } from '../core/error.ts';
import { Scope } from '../core/scope.ts';
import { inspectImage } from '../host/qemu-image.ts';
import { requireWhole } from '../host/require-bootable.ts';
import type { Release } from '../release/manifest.ts';
import { lookup } from './lookup.ts';
import { mountCopy } from './mount-copy.ts';
import type { Deps, Session } from './session.ts';

export interface ImageRequest {
  /** A release (`web@1.2.0`), a raw or qcow2 disk, or a folder that holds a root filesystem. */
  readonly image: string;
  readonly store?: string;
}

/** The root filesystem of an image, mounted for reading. What is written there all the same is thrown away. */
export interface OpenImage extends AsyncDisposable {
  readonly dir: string;
  readonly release?: Release;
  /** Of a disk: the file and what a machine sees of it, in bytes. */
  readonly disk?: { readonly path: string; readonly fileSize: number; readonly virtualSize: number };
}

/** Opens what `request` names. Throws `disk/no-root`, `release/*`, `qemu/*`. */
export async function openImage(request: ImageRequest, session: Session, deps: Deps): Promise<OpenImage> {
  const path = resolve(request.image);
  if (!existsSync(path)) {
    const release = await releaseOf(request, deps);
    return { ...(await openDisk(diskOf(release), session)), release };
  }
  if (statSync(path).isDirectory()) return { dir: path, async [Symbol.asyncDispose]() {} };
  return await openDisk(path, session);
}

/** What most people end a disk's name with, or a path begins with. */
const FILE_NAME = /^[./~]|\.(?:raw|img|iso|qcow2|vhdx?|vmdk|ova|json|html)$/;

/** The release that is named where no file is. Throws `qemu/no-image` when a file was meant, `release/*`. */
export async function releaseOf(
  { image, store }: ImageRequest,
  deps: Pick<Deps, 'emit' | 'signal'>,
): Promise<Release> {
  if (FILE_NAME.test(image)) {
    throw new IngotError('qemu/no-image', `there is no file ${image}`, {
      hint: 'Give the path of a raw or qcow2 disk, or a release such as web@1.2.0.',
    });
  }
  return await lookup({ reference: image, ...(store !== undefined && { store }) }, deps);
}

/** A disk of a release that can be mounted. */
export function diskOf(release: Release): string {
  for (const format of ['qcow2', 'raw']) {
    const path = release.outputs.find((output) => output.format === format)?.path;
    if (path !== undefined) return path;
  }
  throw new IngotError(
    'release/no-output',
    `${release.name}@${release.version} has neither qcow2 nor raw on this machine`,
    { hint: 'Add output "qcow2" { } to the image file.' },
  );
}

async function openDisk(path: string, { host, paths }: Session): Promise<OpenImage> {
  host.requireRoot('to mount the image');
  const facts = await inspectImage(path);
  await requireWhole(host, path, facts);
  await using scope = new Scope();
  const parent = join(paths.cacheDir, 'tmp');
  mkdirSync(parent, { recursive: true });
  const scratch = scope.use(await host.scratch(parent, 'image-'), 'folder of a view');
  const mount = scope.use(await mountCopy(path, facts, scratch.dir, host), 'view of a disk');
  const held = scope.move();
  return {
    dir: mount.target,
    disk: { path, fileSize: statSync(path).size, virtualSize: facts.virtualSize },
    [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
  };
}
