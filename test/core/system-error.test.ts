import { describe, expect, test } from 'vitest';
import { asIngotError, firstError, IngotError } from '../../src/core/error.ts';
import { explainSystemError } from '../../src/core/system-error.ts';

const errno = (code: string, message: string): Error =>
  Object.assign(new Error(`${code}: ${message}, write`), { code, syscall: 'write' });
const command = (...output: string[]): IngotError =>
  new IngotError('host/command-failed', 'tar ended with exit code 2', { output, step: 'web/shell' });

describe('what the system refused', () => {
  test.each([
    ['a write', errno('ENOSPC', 'no space left on device'), 'host/no-space'],
    ['a quota', errno('EDQUOT', 'disk quota exceeded'), 'host/no-space'],
    [
      'the cause of an error',
      new IngotError('output/failed', 'x', { cause: errno('ENOSPC', '') }),
      'host/no-space',
    ],
    ['a command', command('tar: x: Cannot write: No space left on device'), 'host/no-space'],
    [
      'an error of a worker, which has lost its code',
      new Error('ENOSPC: no space left on device'),
      'host/no-space',
    ],
    ['another command', command('tar: x: No such file or directory'), 'host/command-failed'],
    ['a folder of another user', errno('EACCES', 'permission denied'), 'host/no-permission'],
    ['a read-only filesystem', errno('EROFS', 'read-only file system'), 'host/no-permission'],
    ['a file where a folder belongs', errno('ENOTDIR', 'not a directory'), 'host/wrong-path'],
    ['a folder that is not there', errno('ENOENT', 'no such file or directory'), 'host/wrong-path'],
    ['a folder where a file belongs', errno('EISDIR', 'illegal operation on a directory'), 'host/wrong-path'],
    ['something else', errno('EIO', 'i/o error'), 'internal/unexpected'],
    [
      'an error that knows better',
      new IngotError('host/not-root', 'x', { cause: errno('EPERM', '') }),
      'host/not-root',
    ],
  ])('%s', (_what, error, code) => {
    expect(explainSystemError(error).code).toBe(code);
  });

  test('the disk is named, and what the failed command said is kept', () => {
    const error = explainSystemError(command('No space left on device'), { place: 'the cache /c' });
    expect(error.message).toBe('no space is left on the disk of the cache /c: tar ended with exit code 2');
    expect(error).toMatchObject({ step: 'web/shell', output: ['No space left on device'], exitCode: 1 });
    expect(error.hint).toContain('INGOT_CACHE_DIR');
  });
});

describe('errors while something is given back', () => {
  class Refusing implements AsyncDisposable {
    readonly name: string;
    constructor(name: string) {
      this.name = name;
    }
    async [Symbol.asyncDispose](): Promise<void> {
      throw new IngotError('core/release-failed', this.name);
    }
  }

  test('hide neither what went wrong first, nor each other', async () => {
    const thrown = await (async () => {
      await using _a = new Refusing('a');
      await using _b = new Refusing('b');
      throw errno('ENOSPC', 'no space left on device');
    })().catch((error: unknown) => error);
    const { first, later } = firstError(thrown);
    expect(first).toMatchObject({ code: 'ENOSPC' });
    expect(later.map((error) => (error as Error).message)).toEqual(['b', 'a']);
    expect(asIngotError(thrown).message).toContain('ENOSPC');
    expect(explainSystemError(thrown).code).toBe('host/no-space');
  });
});
