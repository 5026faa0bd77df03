import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { IngotError } from '../core/error.ts';
import type { Emit } from '../core/event.ts';
import type { Host } from '../core/host.ts';
import { dropLease, LEASE_VARIABLE, takeLease } from './lease.ts';
import { mountOverlay, mountTmpfs } from './mount.ts';
import { launch } from './process.ts';
import { findTool } from './tools.ts';

export { openRootfs } from './rootfs.ts';
export { mountChain } from './mount-chain.ts';
export { type Recovered, recover } from './recover.ts';

export interface HostOptions {
  /** Folder of the lease files. */
  readonly leaseDir: string;
  readonly emit?: Emit;
}

/** The machine that we run on. Files we make have the usual permissions, whatever umask the user has. */
export function createHost({ leaseDir }: HostOptions): Host {
  process.umask(0o022);
  const host: Host = {
    run: (command, args, options = {}) => launch(command, args, options).ended,

    async start(command, args, options = {}) {
      const lease = takeLease(leaseDir, 'process', [command, ...args].join(' ').slice(0, 500));
      const env = { ...options.env, [LEASE_VARIABLE]: lease.id };
      try {
        const running = launch(command, args, { okCodes: 'any', ...options, env });
        return {
          pid: running.pid,
          ended: running.ended,
          async [Symbol.asyncDispose]() {
            await running.stop();
            dropLease(leaseDir, lease);
          },
        };
      } catch (error) {
        dropLease(leaseDir, lease);
        throw error;
      }
    },

    mountOverlay: (spec) => mountOverlay(host, leaseDir, spec),
    mountTmpfs: (target, size) => mountTmpfs(host, leaseDir, target, size),

    async scratch(parent, prefix) {
      await mkdir(parent, { recursive: true });
      const dir = await mkdtemp(join(parent, prefix));
      const lease = takeLease(leaseDir, 'directory', dir);
      return {
        dir,
        async [Symbol.asyncDispose]() {
          await rm(dir, { recursive: true, force: true });
          dropLease(leaseDir, lease);
        },
      };
    },

    requireTool: findTool,

    requireRoot(what) {
      if (process.getuid?.() === 0) return;
      throw new IngotError(
        'host/not-root',
        `root is needed ${what}, and this is user ${process.getuid?.()}`,
        {
          hint: 'Run the command with sudo. What a template runs is root inside a container only.',
        },
      );
    },
  };
  return host;
}
