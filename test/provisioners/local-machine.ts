import { copyFile, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { systemClock } from '../../src/core/clock.ts';
import type { Context } from '../../src/core/context.ts';
import type { BuildEvent } from '../../src/core/event.ts';
import type { ExecOptions, Machine } from '../../src/core/machine.ts';
import { createHost } from '../../src/host/index.ts';

/** A machine that is a folder of this one: its commands run here, for tests of provisioners without root. */
export interface Bench extends AsyncDisposable {
  readonly dir: string;
  /** The machine's folder. */
  readonly root: string;
  readonly machine: Machine;
  readonly ctx: Context;
  readonly lines: string[];
  /** Called before each command; may throw what a machine throws. */
  beforeExec: (argv: readonly string[]) => void;
}

export async function openBench(signal = new AbortController().signal): Promise<Bench> {
  const dir = await mkdtemp(join(tmpdir(), 'ingot-bench-'));
  const root = join(dir, 'root');
  await mkdir(root);
  const host = createHost({ leaseDir: join(dir, 'leases') });
  const lines: string[] = [];
  const emit = (event: BuildEvent): void => {
    if (event.type === 'step:log') lines.push(`${event.stream}: ${event.line}`);
  };
  const bench: Bench = {
    dir,
    root,
    lines,
    beforeExec: () => {},
    ctx: {
      signal,
      emit,
      step: 'web/shell[0]',
      host,
      clock: systemClock,
      secrets: { resolve: async () => '' },
      workDir: dir,
      cacheDir: dir,
      epoch: 0,
      templateDir: dir,
    },
    machine: {
      kind: 'container',
      os: 'linux',
      generated: new Map(),
      chain: [],
      communicator: {
        async exec([command, ...args], options: ExecOptions = {}) {
          bench.beforeExec([command as string, ...args]);
          return await host.run(command as string, args, {
            okCodes: 'any',
            cwd: root,
            ...(options.onLine && { onLine: options.onLine }),
            ...(options.input !== undefined && { input: options.input }),
            ...(options.env && { env: options.env }),
            ...(options.signal && { signal: options.signal }),
          });
        },
        upload: async (source, destination) => await copyFile(source, destination),
        uploadBytes: async (data, destination, o) =>
          await writeFile(destination, data, { mode: o?.mode ?? 0o644 }),
        async uploadDirectory(source, destination) {
          const into = source.endsWith('/') ? destination : join(destination, basename(source));
          await cp(source, into, { recursive: true });
        },
        async download(source, destination) {
          await mkdir(dirname(destination), { recursive: true });
          await copyFile(source, destination);
        },
        async downloadDirectory(source, destination) {
          const into = source.endsWith('/') ? destination : join(destination, basename(source));
          await cp(source, into, { recursive: true });
        },
      },
      finish: () => Promise.reject(new Error('not part of these tests')),
      [Symbol.asyncDispose]: async () => {},
    },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true }),
  };
  return bench;
}
