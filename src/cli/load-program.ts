import { createHash } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';

/** What V8 has compiled lies behind a digest of itself: V8 takes damaged code as it is. */
const DIGEST_BYTES = 20;
/** Of so many programs the code is kept: versions, and versions of Node, that are used in turns. */
const PROGRAMS = 4;
/** The first line of the program: `// ` and the SHA-256 of the rest, in hex. */
const HEADER = /^\/\/ ([0-9a-f]{64})\n/;

export interface Program {
  readonly exports: unknown;
  /** Whether compiled code of an earlier run was used. */
  readonly reused: boolean;
  /** Keeps what is compiled by now for the next run. A cache that cannot be written is none, and no error. */
  keep(): void;
}

/**
 * Loads a bundle that scripts/build.mjs wrote: a function as Node wraps CommonJS modules, in ASCII. `cacheDir` holds what
 * V8 made of it in earlier runs, by program, Node and `verb`, since each verb compiles other parts. V8 itself refuses
 * code of another version or of other flags.
 */
export function loadProgram(file: string, cacheDir: string, verb: string): Program {
  const source = readFileSync(file, 'latin1');
  const digest = HEADER.exec(source)?.[1] ?? '';
  const name = `${digest.slice(0, 16)}-${process.version}-${process.arch}`;
  const path =
    /^[0-9a-z-]{1,20}$/.test(verb) && digest !== '' ? join(cacheDir, 'code', name, verb) : undefined;
  const cachedData = path === undefined ? undefined : readKept(path);
  const script = new Script(source, { filename: file, ...(cachedData && { cachedData }) });
  const reused = cachedData !== undefined && script.cachedDataRejected !== true;
  const module = { exports: {} as unknown };
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
  return {
    exports: module.exports,
    reused,
    keep() {
      if (path !== undefined && !reused) tryWrite(path, script);
    },
  };
}

/** Compiled code runs as it is: only what this user wrote, and nobody else could change, is taken. */
function readKept(path: string): Buffer | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    const { uid, mode } = fstatSync(file);
    if (uid !== process.getuid?.() || (mode & 0o022) !== 0) return undefined;
    const bytes = readFileSync(file);
    const code = bytes.subarray(DIGEST_BYTES);
    return bytes.subarray(0, DIGEST_BYTES).equals(digestOfCode(code)) ? code : undefined;
  } finally {
    closeSync(file);
  }
}

function tryWrite(path: string, script: Script): void {
  const code = script.createCachedData();
  const temporary = `${path}.${process.pid}.part`;
  try {
    const isNew = mkdirSync(dirname(path), { recursive: true, mode: 0o700 }) !== undefined;
    if (isNew) forgetOldest(dirname(dirname(path)));
    writeFileSync(temporary, Buffer.concat([digestOfCode(code), code]), { mode: 0o600 });
    renameSync(temporary, path);
  } catch {
    // A home that is read-only or full: the next run compiles again.
  }
}

/** A checkout that is worked on makes a program after the other. */
function forgetOldest(folder: string): void {
  const programs = readdirSync(folder).map((name) => {
    const path = join(folder, name);
    return { path, changed: statSync(path).mtimeMs };
  });
  for (const { path } of programs.sort((a, b) => b.changed - a.changed).slice(PROGRAMS))
    rmSync(path, { recursive: true, force: true });
}

function digestOfCode(code: Uint8Array): Buffer {
  return createHash('sha1').update(code).digest();
}
