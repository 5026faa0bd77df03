import { systemClock } from '../../src/core/clock.ts';
import type { Context } from '../../src/core/context.ts';
import type { BuildEvent } from '../../src/core/event.ts';
import type { ExecResult, Machine } from '../../src/core/machine.ts';

/** A machine that only writes down what it is asked. `answer` gives each command's result. */
export function fakeMachine(
  answer: (argv: readonly string[]) => Partial<ExecResult> & { lines?: string[] } = () => ({}),
) {
  const calls: string[] = [];
  const files = new Map<string, string>();
  const machine: Machine = {
    kind: 'container',
    os: 'linux',
    generated: new Map(),
    chain: [],
    communicator: {
      async exec(argv, options) {
        calls.push(`exec ${argv.join(' ')}`);
        const { lines = [], ...result } = answer(argv);
        for (const line of lines) options?.onLine?.('stderr', line);
        return { exitCode: 0, stdout: '', stderr: '', ...result };
      },
      upload: async (source, destination) => void calls.push(`upload ${source} ${destination}`),
      uploadBytes: async (data, destination) => {
        calls.push(`put ${destination}`);
        files.set(destination, Buffer.from(data).toString());
      },
      uploadDirectory: async (source, destination) =>
        void calls.push(`upload-folder ${source} ${destination}`),
      download: async (source, destination) => void calls.push(`download ${source} ${destination}`),
      downloadDirectory: async (source, destination) =>
        void calls.push(`download-folder ${source} ${destination}`),
    },
    finish: async () => undefined as never,
    async [Symbol.asyncDispose]() {},
  };
  return { machine, calls, files };
}

/** A context for a template in `templateDir`; events are gathered. */
export function fakeContext(templateDir: string, host: Context['host'] = undefined as never) {
  const events: BuildEvent[] = [];
  const ctx: Context = {
    signal: new AbortController().signal,
    emit: (e) => void events.push(e),
    step: 'web/step[0]',
    host,
    clock: systemClock,
    secrets: { resolve: async () => '' },
    workDir: templateDir,
    cacheDir: templateDir,
    epoch: 1,
    templateDir,
  };
  return { ctx, events };
}
