import { ForksPoolWorker, type PoolOptions, type PoolRunnerInitializer } from 'vitest/node';

/**
 * Test files in processes that see no mounts but their own (mount_namespaces(7)), so that files may run side by side:
 * the mounts of one are no leak of another's, and none outlives its file. Needs root.
 */
class PrivateMountsWorker extends ForksPoolWorker {
  override readonly name = 'private-mounts';

  constructor(options: PoolOptions) {
    const unshare = ['--mount', '--propagation', 'private', '--', process.execPath];
    super({ ...options, execArgv: [...unshare, ...options.execArgv] });
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
