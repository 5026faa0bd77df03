import { asIngotError, IngotError } from './error.ts';

/** What strerror(3) says to ENOSPC and EDQUOT: commands print it, since they run with LC_ALL=C.UTF-8. */
const FULL = /no space left on device|disk quota exceeded/i;
/** The way to a file leads nowhere, or to something of another kind. */
const OTHER_KIND = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'EEXIST', 'ELOOP', 'ENAMETOOLONG']);
/** Deepest chain of causes that is looked into. */
const DEPTH = 10;

/**
 * An error that the system caused, as what the user can do about it: a full disk (`host/no-space`), missing permission
 * (`host/no-permission`), or a path that leads elsewhere (`host/wrong-path`). Commands are recognized by what they printed.
 * Every other error stays what it is. `where`: what lies on that disk, and how to put it on another.
 */
export function explainSystemError(
  thrown: unknown,
  where: { readonly place?: string; readonly elsewhere?: string } = {},
): IngotError {
  const error = asIngotError(thrown);
  if (error.code.startsWith('host/no-')) return error;
  const errno = errnoOf(thrown);
  const { range, step, output, exitCode } = error;
  const kept = {
    output,
    exitCode,
    cause: thrown,
    ...(range && { range }),
    ...(step !== undefined && { step }),
  };
  if (errno === 'ENOSPC' || errno === 'EDQUOT' || FULL.test([error.message, ...error.output].join('\n'))) {
    const place = where.place === undefined ? '' : ` of ${where.place}`;
    const elsewhere = where.elsewhere ?? 'put the caches on a larger disk: INGOT_CACHE_DIR=/folder';
    return new IngotError('host/no-space', `no space is left on the disk${place}: ${error.message}`, {
      ...kept,
      hint: `Free some there (\`ingot clean\`, \`ingot cache prune\`), or ${elsewhere}.`,
    });
  }
  if (
    error.code === 'internal/unexpected' &&
    (errno === 'EACCES' || errno === 'EPERM' || errno === 'EROFS')
  ) {
    return new IngotError('host/no-permission', `this user may not do that: ${error.message}`, {
      ...kept,
      hint: 'Use folders of your own (INGOT_CACHE_DIR, INGOT_DATA_DIR, --output-dir), or run the command with sudo.',
    });
  }
  if (error.code === 'internal/unexpected' && errno !== undefined && OTHER_KIND.has(errno)) {
    return new IngotError('host/wrong-path', `a path does not lead where it should: ${error.message}`, {
      ...kept,
      hint:
        errno === 'ENOENT'
          ? 'Does the folder exist, also behind links? If it is a temporary one, is TMPDIR right, and does nobody clean it up?'
          : 'A file is where a folder belongs, or the other way round: move it away, or name another place.',
    });
  }
  return error;
}

/** The system's code of an error, or of what caused it. */
function errnoOf(error: unknown): string | undefined {
  let next = error;
  for (let depth = 0; depth < DEPTH && next instanceof Error; depth++) {
    const { code, syscall } = next as NodeJS.ErrnoException;
    if (syscall !== undefined && code !== undefined) return code;
    next = next.cause;
  }
  return undefined;
}
