import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { hexOf, type Digest } from '../../core/digest.ts';
import { randomUUID } from 'node:crypto';

/**
 * The template's mirrors, kept on this machine by the request's digest: a mirror's URL enters no digest, lock
 * or image, yet what runs after pinning must know where to fetch from.
 */
export async function rememberMirrors(
  request: Digest,
  mirrors: readonly string[] | undefined,
  ctx: Pick<Context, 'cacheDir'>,
): Promise<void> {
  const path = fileOf(request, ctx);
  if (mirrors === undefined) return rm(path, { force: true });
  const text = JSON.stringify(mirrors);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  await mkdir(join(path, '..'), { recursive: true });
  const partial = `${path}.${randomUUID()}`;
  await writeFile(partial, text);
  await rename(partial, path);
}

/** The mirrors remembered for a request; undefined where the template named none. */
export function recallMirrors(
  request: Digest,
  ctx: Pick<Context, 'cacheDir'>,
): readonly string[] | undefined {
  const path = fileOf(request, ctx);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as string[]) : undefined;
}

function fileOf(request: Digest, ctx: Pick<Context, 'cacheDir'>): string {
  return join(ctx.cacheDir, 'apt', 'mirrors', `${hexOf(request)}.json`);
}
