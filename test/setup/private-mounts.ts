import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ForksPoolWorker, type PoolOptions, type PoolRunnerInitializer } from 'vitest/node';

let shared: string | undefined;

/** A folder for what several files of a run need: the first one makes it. Removed with the run. */
function sharedFolder(): string {
  if (shared === undefined) {
    const dir = mkdtempSync(join(tmpdir(), 'ingot-shared-'));
    process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
    shared = dir;
  }
  return shared;
}

/**
 * Test files in processes that see no mounts but their own (mount_namespaces(7)), so that files may run side by side:
 * the mounts of one are no leak of another's, and none outlives its file. Needs root.
 */
class PrivateMountsWorker extends ForksPoolWorker {
  override readonly name = 'private-mounts';

  constructor(options: PoolOptions) {
    const unshare = ['--mount', '--propagation', 'private', '--', process.execPath];
    const env = { ...options.env, INGOT_TEST_SHARED: sharedFolder() };
    super({ ...options, env, execArgv: [...unshare, ...options.execArgv] });
  }

  override async start(): Promise<void> {
    // Vitest has no word for another program; fork() takes this one when it is called, which is at once.
    const { execPath } = process;
    process.execPath = '/usr/bin/unshare';
    let started: Promise<void>;
    try {
      started = super.start();
    } finally {
      process.execPath = execPath;
    }
    await started;
  }
}

/** For `pool` of a project. */
export const privateMounts: PoolRunnerInitializer = {
  name: 'private-mounts',
  createPoolWorker: (options) => new PrivateMountsWorker(options),
};
