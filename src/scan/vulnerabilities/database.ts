import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Context } from '../../core/context.ts';
import { note } from '../../core/context.ts';
import { hexOf, sha256 } from '../../core/digest.ts';
import { asIngotError, IngotError } from '../../core/error.ts';
import { download, FACTS } from './download.ts';

/** A database that lies on this machine. */
export interface LoadedDatabase {
  /** As it was named: a path or an address. */
  readonly location: string;
  readonly kind: 'debian-tracker' | 'osv';
  /** File or folder. */
  readonly path: string;
  /** When it was made, as far as its server or the file's time tells; ISO 8601. */
  readonly date: string;
}

interface CachedCopy {
  /** When its server says that it was made, else when it was fetched; ISO 8601. */
  readonly date: string;
  readonly fetched: string;
}

export type DatabaseContext = Pick<
  Context,
  'signal' | 'clock' | 'cacheDir' | 'emit' | 'step' | 'templateDir'
>;

/**
 * A database by path (relative to the template) or address. What an address gives is kept in the cache for
 * `refreshMs`; when it cannot be reached, the copy is used, and that is told. Throws `scan/no-database`.
 */
export async function loadDatabase(
  location: string,
  refreshMs: number,
  ctx: DatabaseContext,
): Promise<LoadedDatabase> {
  if (isAddress(location)) return await fromAddress(location, refreshMs, ctx);
  const path = resolve(ctx.templateDir, location);
  if (!existsSync(path)) {
    throw new IngotError('scan/no-database', `there is no vulnerability database at ${path}`, {
      hint: 'Name a file or folder, or an address, in `databases`.',
    });
  }
  return { location, kind: kindOf(location, path), path, date: dateOf(path).toISOString() };
}

/** What came from an address and turned out to be damaged is fetched anew by the next run. */
export async function forgetCopies(
  locations: readonly string[],
  ctx: Pick<Context, 'cacheDir'>,
): Promise<void> {
  for (const url of locations.filter(isAddress)) await rm(join(folderOf(url, ctx), FACTS), { force: true });
}

const isAddress = (location: string): boolean => /^https?:\/\//.test(location);

function folderOf(url: string, { cacheDir }: Pick<Context, 'cacheDir'>): string {
  return join(cacheDir, 'vulnerabilities', hexOf(sha256(url)).slice(0, 32));
}

async function fromAddress(url: string, refreshMs: number, ctx: DatabaseContext): Promise<LoadedDatabase> {
  const dir = folderOf(url, ctx);
  const path = join(dir, 'data');
  const present = copyIn(dir);
  const age = present ? ctx.clock.now().getTime() - Date.parse(present.fetched) : Number.POSITIVE_INFINITY;
  if (present && age >= 0 && age < refreshMs)
    return { location: url, kind: kindOf(url, path), path, date: present.date };
  try {
    // A page of a proxy that asks for a login must not take the place of a copy that is good.
    const copy = await download(url, dir, ctx, (file) => void kindOf(url, file));
    return { location: url, kind: kindOf(url, path), path, date: copy.date };
  } catch (error) {
    ctx.signal.throwIfAborted();
    const reason = asIngotError(error).message;
    if (!present) {
      throw new IngotError('scan/no-database', `there is no vulnerability database: ${reason}`, {
        hint: 'Fetch it on a machine that can, and give its path in `databases`.',
        cause: error,
      });
    }
    note(ctx, `${reason}; the copy of ${present.date} is used`);
    return { location: url, kind: kindOf(url, path), path, date: present.date };
  }
}

function copyIn(dir: string): CachedCopy | undefined {
  const facts = join(dir, FACTS);
  if (!existsSync(facts) || !existsSync(join(dir, 'data'))) return undefined;
  return JSON.parse(readFileSync(facts, 'utf8')) as CachedCopy;
}

/** By its first bytes: a folder and a ZIP archive are OSV's, an object is the tracker's. */
function kindOf(location: string, path: string): LoadedDatabase['kind'] {
  if (statSync(path).isDirectory()) return 'osv';
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(64);
    const text = head
      .subarray(0, readSync(file, head, 0, 64, 0))
      .toString('latin1')
      .trimStart();
    if (text.startsWith('PK')) return 'osv';
    if (text.startsWith('{')) return 'debian-tracker';
  } finally {
    closeSync(file);
  }
  throw new IngotError(
    'scan/bad-database',
    `${location} is no vulnerability database: expected the Debian security tracker's JSON, or OSV's export as a ZIP archive or folder`,
    { hint: 'A file that ends in .gz or .zst must be unpacked first.' },
  );
}

/** A file's own time; of a folder, that of the newest file in it. */
function dateOf(path: string): Date {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtime;
  const times = readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(path, entry.name)).mtimeMs);
  return new Date(Math.max(0, ...times));
}
