import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { vi } from 'vitest';
import { type CliResult, runCli } from '../cli/run-cli.ts';

/** A folder that is the current one, with caches of its own: commands run as Packer's users run them. */
export interface PackerFolder extends Disposable {
  readonly dir: string;
  write(name: string, text: string): void;
  run(...args: string[]): Promise<CliResult>;
  /** With a text on standard input. */
  pipe(stdin: string, ...args: string[]): Promise<CliResult>;
}

export function packerFolder(): PackerFolder {
  const home = process.cwd();
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'ingot-packer-')));
  const dir = join(scratch, 'here');
  mkdirSync(dir);
  process.chdir(dir);
  vi.stubEnv('INGOT_CACHE_DIR', join(scratch, 'cache'));
  vi.stubEnv('INGOT_DATA_DIR', join(scratch, 'data'));
  return {
    dir,
    write(name, text) {
      mkdirSync(dirname(join(dir, name)), { recursive: true });
      writeFileSync(join(dir, name), text);
    },
    run: (...args) => runCli(args),
    pipe: (stdin, ...args) => runCli(args, {}, Readable.from([stdin])),
    [Symbol.dispose]() {
      process.chdir(home);
      vi.unstubAllEnvs();
      rmSync(scratch, { recursive: true });
    },
  };
}
