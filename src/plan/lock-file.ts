import { readFile } from 'node:fs/promises';
import { isDigest } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';
import type { Lock, LockEntry } from '../core/lock.ts';
import { replaceFile } from '../core/replace-file.ts';

/** Name of the lock file, beside the template. */
export const LOCK_FILE = 'ingot.lock.json';

/** Reads a lock; an empty one where there is none. Throws `plan/bad-lock` for what is not a lock of ours. */
export async function readLock(path: string): Promise<Lock> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return { version: 1, entries: Object.create(null) as Record<string, LockEntry> };
  return parseLock(text, path);
}

/** A lock from its text. */
export function parseLock(text: string, path: string): Lock {
  const bad = (what: string): never => {
    throw new IngotError('plan/bad-lock', `${path} is not a usable lock: ${what}`, {
      hint: 'Take the file from version control again, or delete it and run `ingot update`.',
    });
  };
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    return bad(`it is not JSON (${(error as Error).message})`);
  }
  if (typeof data !== 'object' || data === null) return bad('it is not an object');
  const { version, entries } = data as Partial<Lock>;
  if (version !== 1) return bad(`its version is ${JSON.stringify(version)}, expected 1`);
  if (typeof entries !== 'object' || entries === null) return bad('it has no entries');
  const checked = Object.create(null) as Record<string, LockEntry>;
  for (const [key, entry] of Object.entries(entries)) {
    if (!isLockEntry(entry)) return bad(`the entry ${JSON.stringify(key)} is of no known form`);
    checked[key] = entry;
  }
  return { version: 1, entries: checked };
}

function isLockEntry(entry: unknown): entry is LockEntry {
  if (typeof entry !== 'object' || entry === null) return false;
  const e = entry as Record<string, unknown>;
  if (e.kind === 'file') return typeof e.sha256 === 'string' && typeof e.size === 'number';
  if (e.kind === 'image') return isLockedImage(e);
  if (e.kind !== 'apt' || !isDigest(e.request)) return false;
  const isPackage = (p: unknown): boolean => {
    const q = p as Record<string, unknown> | null;
    return (
      typeof q === 'object' &&
      q !== null &&
      [q.name, q.version, q.architecture, q.filename, q.archive].every((v) => typeof v === 'string') &&
      /^[0-9a-f]{64}$/.test(String(q.sha256)) &&
      Number.isSafeInteger(q.size) &&
      !String(q.filename).split('/').includes('..')
    );
  };
  const isSuite = (s: unknown): boolean => {
    const q = s as Record<string, unknown> | null;
    return typeof q === 'object' && q !== null && isDigest(q.inRelease) && Number.isSafeInteger(q.date);
  };
  return (
    Array.isArray(e.suites) &&
    e.suites.length > 0 &&
    e.suites.every(isSuite) &&
    Array.isArray(e.packages) &&
    e.packages.every(isPackage) &&
    Array.isArray(e.tools) &&
    e.tools.every(isPackage)
  );
}

function isLockedImage(e: Record<string, unknown>): boolean {
  const manifest = e.manifest as Record<string, unknown> | null | undefined;
  const isAncestor = (a: unknown): boolean => {
    const q = a as Record<string, unknown> | null;
    return (
      typeof q === 'object' &&
      q !== null &&
      isDigest(q.digest) &&
      [q.name, q.version].every((v) => typeof v === 'string')
    );
  };
  return (
    isDigest(e.request) &&
    typeof e.image === 'string' &&
    typeof manifest === 'object' &&
    manifest !== null &&
    isDigest(manifest.digest) &&
    typeof manifest.mediaType === 'string' &&
    Number.isSafeInteger(manifest.size) &&
    (e.date === undefined || Number.isSafeInteger(e.date)) &&
    (e.ancestry === undefined || (Array.isArray(e.ancestry) && e.ancestry.every(isAncestor)))
  );
}

/** The lock's text: sorted keys, a package a line, so that a diff shows which packages moved. */
export function formatLock(lock: Lock): string {
  const entries = Object.keys(lock.entries)
    .sort()
    .map((key) => `    ${JSON.stringify(key)}: ${formatEntry(lock.entries[key] as LockEntry)}`);
  return `{\n  "version": 1,\n  "entries": {\n${entries.join(',\n')}\n  }\n}\n`;
}

function formatEntry(entry: LockEntry): string {
  const fields = Object.entries(entry).map(([name, value]) => {
    if (!Array.isArray(value) || value.length === 0)
      return `      ${JSON.stringify(name)}: ${JSON.stringify(value)}`;
    const lines = value.map((item) => `        ${JSON.stringify(item)}`);
    return `      ${JSON.stringify(name)}: [\n${lines.join(',\n')}\n      ]`;
  });
  return `{\n${fields.join(',\n')}\n    }`;
}

/** Writes a lock whole or not at all. */
export async function writeLock(path: string, lock: Lock): Promise<void> {
  await replaceFile(path, formatLock(lock), { mode: 0o644, sync: true });
}
