import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { extract, type Header, pack } from 'tar-stream';
import { IngotError } from '../../core/error.ts';
import type { TransferOptions } from '../../core/machine.ts';
import type { DockerEngine } from './engine.ts';

/** One file as an archive for the engine. `size` in bytes. */
export function fileArchive(
  name: string,
  content: Readable,
  size: number,
  o: TransferOptions & { readonly mtime: number },
): Readable {
  const archive = pack();
  const entry = archive.entry({
    name,
    size,
    mode: o.mode ?? 0o644,
    uid: o.uid ?? 0,
    gid: o.gid ?? 0,
    mtime: new Date(o.mtime * 1000),
  });
  pipeline(content, entry).then(
    () => archive.finalize(),
    (error: unknown) => archive.destroy(error as Error),
  );
  return Readable.from(archive);
}

/**
 * The archive without the entry of the folder itself, whose owner and mode the machine's folder would take; all of it
 * belongs to `owner`.
 */
export function withoutTop(
  source: Readable,
  owner: { readonly uid: number; readonly gid: number },
): Readable {
  const archive = pack();
  const copy = async (): Promise<void> => {
    const reader = extract();
    const fed = pipeline(source, reader);
    for await (const entry of reader) {
      if (/^\.?\/?$/.test(entry.header.name)) entry.resume();
      else await pipeline(entry, archive.entry({ ...entry.header, uid: owner.uid, gid: owner.gid }));
    }
    await fed;
    archive.finalize();
  };
  copy().catch((error: unknown) => archive.destroy(error as Error));
  return Readable.from(archive);
}

/** Copies a regular file of a container to the host; links are not followed. Throws `machine/no-such-file`. */
export async function downloadFile(
  engine: DockerEngine,
  container: string,
  source: string,
  destination: string,
): Promise<void> {
  let found = false;
  await readArchive(engine, container, source, async (header, content) => {
    if (found || header.type !== 'file') return;
    found = true;
    await mkdir(dirname(destination), { recursive: true });
    await pipeline(content, createWriteStream(destination, { mode: (header.mode ?? 0o644) & 0o777 }));
  });
  if (!found) throw noFile(source, 'is no file of the machine');
}

/** Copies a folder's files and folders to `into`; links and devices stay behind. Throws `machine/no-such-file`. */
export async function downloadFolder(
  engine: DockerEngine,
  container: string,
  source: string,
  destination: string,
): Promise<void> {
  const top = source.replace(/\/+$/, '');
  const into = source.endsWith('/') ? destination : join(destination, basename(top));
  let isFolder = false;
  await readArchive(engine, container, top, async (header, content) => {
    const names = header.name.split('/').filter((part: string) => part !== '' && part !== '.');
    if (names.includes('..')) throw noFile(source, `holds "${header.name}"`);
    // The archive's names begin with the folder's own.
    const target = join(into, ...names.slice(1));
    if (header.type === 'directory') {
      if (names.length === 1) isFolder = true;
      await mkdir(target, { recursive: true });
    } else if (header.type === 'file' && isFolder) {
      await mkdir(dirname(target), { recursive: true });
      await pipeline(content, createWriteStream(target, { mode: (header.mode ?? 0o644) & 0o777 }));
    }
  });
  if (!isFolder) throw noFile(source, 'is no folder of the machine');
}

/** Go's os.ModeSymlink. */
const LINK_MODE = 1 << 27;

/** Where a link of a container leads inside it; undefined for what is none. A file written there goes to its target. */
export async function linkTarget(
  engine: DockerEngine,
  container: string,
  path: string,
): Promise<string | undefined> {
  const request = { method: 'HEAD' as const, query: { path }, ok: [404, 400] };
  const response = await engine.request(`/containers/${container}/archive`, request);
  response.resume();
  const header = response.headers['x-docker-container-path-stat'];
  if (response.statusCode !== 200 || typeof header !== 'string') return undefined;
  const { mode, linkTarget } = JSON.parse(Buffer.from(header, 'base64').toString('utf8')) as {
    mode: number;
    linkTarget: string;
  };
  return (mode & LINK_MODE) !== 0 && linkTarget.startsWith('/') ? linkTarget : undefined;
}

async function readArchive(
  engine: DockerEngine,
  container: string,
  path: string,
  take: (header: Header, content: Readable) => Promise<void>,
): Promise<void> {
  const response = await engine.request(`/containers/${container}/archive`, {
    query: { path },
    ok: [404, 400],
  });
  if (response.statusCode !== 200) {
    response.resume();
    throw noFile(path, 'is not in the machine');
  }
  const reader = extract();
  const fed = pipeline(response, reader);
  for await (const entry of reader) {
    await take(entry.header, Readable.from(entry));
    entry.resume();
  }
  await fed;
}

function noFile(path: string, what: string): IngotError {
  return new IngotError('machine/no-such-file', `${path} ${what}`, {
    hint: 'Give the path of a regular file, or of a folder with a slash at its end; links are not followed.',
  });
}
