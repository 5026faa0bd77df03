import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, isAbsolute, join, normalize, relative, resolve, sep } from 'node:path';
import { asIngotError } from '../../core/error.ts';
import { SafeRegExp } from '../regexp/regexp.ts';
import { PatternError } from '../regexp/syntax.ts';
import { canonicalSet } from '../value/set.ts';
import { BOOL, setOf, STRING } from '../value/type.ts';
import { bool, string, type Value } from '../value/value.ts';
import { decodeUtf8 } from './encoding.ts';
import { FunctionError, type FunctionSpec, param } from './function.ts';

const text = (value: Value | undefined): string => value?.data as string;

/** What a template takes in as text; larger files are uploaded, not interpolated. */
const MAX_BYTES = 64 * 1024 * 1024;
const CHUNK = 64 * 1024;
/** Files that fileset looks at before it gives up. */
const MAX_FILES = 100_000;

/** A path of a template: `~` is the home folder, relative ones start at `dir`. */
function locate(path: string, dir: string): string {
  return resolve(dir, expandHome(path));
}

function expandHome(path: string): string {
  if (!path.startsWith('~')) return path;
  if (path !== '~' && path[1] !== '/')
    throw new FunctionError("the home folder of another user can't be told", 0);
  return join(homedir(), path.slice(1));
}

/** Reads a file for a template. Throws FunctionError. */
export function readTemplateFile(path: string, dir: string): Buffer {
  const found = locate(path, dir);
  try {
    return readBounded(found, path);
  } catch (error) {
    if (error instanceof FunctionError) throw error;
    throw new FunctionError(`${path} can't be read: ${asIngotError(error).message}`, 0);
  }
}

/** Reads to the end, or to the limit: a device tells no size and may have no end. */
function readBounded(found: string, path: string): Buffer {
  const file = openSync(found, 'r');
  try {
    const { size } = fstatSync(file);
    const parts: Buffer[] = [];
    for (let total = size > MAX_BYTES ? size : 0; ; ) {
      if (total > MAX_BYTES)
        throw new FunctionError(`${path} has more than ${MAX_BYTES} bytes; they are not read`, 0);
      const part = Buffer.allocUnsafe(Math.max(CHUNK, Math.min(size, MAX_BYTES)));
      const count = readSync(file, part);
      if (count === 0) return Buffer.concat(parts);
      parts.push(part.subarray(0, count));
      total += count;
    }
  } finally {
    closeSync(file);
  }
}

function exists(path: string, dir: string): boolean {
  try {
    const found = statSync(locate(path, dir));
    if (found.isFile()) return true;
    throw new FunctionError(`${path} is there and no regular file`, 0);
  } catch (error) {
    if (error instanceof FunctionError) throw error;
    return false;
  }
}

/** A shell pattern as a regular expression over paths: `*`, `?`, `[…]`, `{a,b}` and `**` across folders. */
function globPattern(pattern: string): SafeRegExp {
  const source = pattern.replace(
    /\*\*\/|\*\*|\*|\?|\[[!^]?[^\]/]+\]|\{[^{}/]*\}|[\\^$.|+()[\]{}]/g,
    (part) => {
      if (part === '**/') return '(?:[^/]+/)*';
      if (part === '**') return '.*';
      if (part === '*') return '[^/]*';
      if (part === '?') return '[^/]';
      if (part.startsWith('{') && part.length > 1) {
        return `(?:${part
          .slice(1, -1)
          .split(',')
          .map((p) => p.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&'))
          .join('|')})`;
      }
      if (part.startsWith('[') && part.length > 1) return part.replace(/^\[!/, '[^').replaceAll('\\', '\\\\');
      // A bracket that is not closed.
      if (part === '[') throw new FunctionError(`${JSON.stringify(pattern)} is no pattern`, 1);
      return `\\${part}`;
    },
  );
  try {
    return new SafeRegExp(`(?s)^${source}$`);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new FunctionError(`${JSON.stringify(pattern)} is no pattern`, 1);
  }
}

/** Regular files below `path` that match, as paths relative to it, with forward slashes. */
function fileSet(path: string, pattern: string, dir: string): string[] {
  const root = locate(path, dir);
  const matches = globPattern(normalize(pattern));
  const found: string[] = [];
  const folders = [root];
  let seen = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    let entries: ReturnType<typeof listFolder>;
    try {
      entries = listFolder(folder);
    } catch (error) {
      throw new FunctionError(`${path} can't be read: ${asIngotError(error).message}`, 0);
    }
    for (const entry of entries) {
      if (++seen > MAX_FILES) throw new FunctionError(`more than ${MAX_FILES} files below ${path}`, 0);
      const full = join(folder, entry.name);
      const name = relative(root, full).split(sep).join('/');
      if (entry.isDirectory()) {
        if (pattern.includes('**') || name.split('/').length < pattern.split('/').length) folders.push(full);
      } else if (entry.isFile() && matches.find(name)) found.push(name);
    }
  }
  return found;
}

function listFolder(folder: string) {
  return readdirSync(folder, { withFileTypes: true });
}

/** Go's filepath.Dir: all before the last slash, cleaned; `a/b` of `a/b/`. */
function directoryOf(path: string): string {
  const at = path.lastIndexOf('/');
  const folder = normalize(path.slice(0, at + 1) || '.');
  return folder.length > 1 ? folder.replace(/\/$/, '') : folder;
}

function mapping(name: string, change: (path: string) => string): FunctionSpec {
  return {
    name,
    parameters: [param('path', STRING)],
    returns: STRING,
    call: ([p]) => string(change(text(p))),
  };
}

/** Functions of paths and files. Relative paths start at `dir`. */
export function filesystemFunctions(dir: string): readonly FunctionSpec[] {
  return [
    mapping('abspath', (p) => (isAbsolute(p) ? normalize(p).replace(/(.)\/$/, '$1') : resolve(dir, p))),
    mapping('basename', (p) => (p === '' ? '.' : /^\/+$/.test(p) ? '/' : basename(p))),
    mapping('dirname', directoryOf),
    mapping('pathexpand', expandHome),
    mapping('file', (p) => decodeUtf8(readTemplateFile(p, dir), `${p}`)),
    mapping('filebase64', (p) => readTemplateFile(p, dir).toString('base64')),
    {
      name: 'fileexists',
      parameters: [param('path', STRING)],
      returns: BOOL,
      call: ([p]) => bool(exists(text(p), dir)),
    },
    {
      name: 'fileset',
      parameters: [param('path', STRING), param('pattern', STRING)],
      returns: setOf(STRING),
      call: ([p, pattern]) => canonicalSet(fileSet(text(p), text(pattern), dir).map(string), STRING),
    },
  ];
}
