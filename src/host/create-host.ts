import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { IngotError } from '../core/error.ts';
import type { Emit } from '../core/event.ts';
import type { Host } from '../core/host.ts';
import { dropLease, LEASE_VARIABLE, type Lease, takeLease } from './lease.ts';
import { mountOverlay, mountTmpfs, type Run, runAlone } from './mount.ts';
import { launch } from './process.ts';
import { removeFolder } from './remove-folder.ts';
import { findTool } from './tools.ts';

export interface HostOptions {
  /** Folder of the lease files. */
  readonly leaseDir: string;
  readonly emit?: Emit;
}

/** The machine that we run on. Files we make have the usual permissions, whatever umask the user has. */
export function createHost({ leaseDir, emit }: HostOptions): Host {
  process.umask(0o022);
  const busy = (target: string): void =>
    emit?.({
      type: 'diagnostic',
      diagnostic: {
        code: 'host/busy',
        severity: 'warning',
        message: `${target} was still in use; it is detached, and goes when its last user ends`,
        hint: 'A process of this machine has a file open in there: a shell, an indexer, a virus scanner?',
      },
    });
  const marked = markCommands(leaseDir);
  const run: Run = async (command, args, options = {}) => {
    if (options.isAlone) return await runAlone(command, args, options);
    using mark = marked();
    return await launch(command, args, { ...options, env: { ...options.env, ...mark.env } }).ended;
  };
  const host: Host = {
    run,

    async start(command, args, options = {}) {
      const lease = takeLease(leaseDir, 'process', [command, ...args].join(' ').slice(0, 500));
      const env = { ...options.env, [LEASE_VARIABLE]: lease.id };
      try {
        const running = launch(command, args, { okCodes: 'any', ...options, env });
        const { pid } = running;
        if (pid === undefined) {
          await running.ended;
          throw new IngotError('host/cannot-run', `${command} could not be started`);
        }
        return {
          pid,
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

    mountOverlay: (spec) => mountOverlay({ leaseDir, busy }, spec),
    async mountDisk(spec) {
      const { mountDisk } = await import('./mount-disk.ts');
      return await mountDisk({ leaseDir, busy, start: (...a) => host.start(...a) }, spec);
    },
    mountTmpfs: (target, size) => mountTmpfs({ leaseDir, busy }, target, size),

    async scratch(parent, prefix) {
      const dir = join(resolve(parent), `${prefix}${randomUUID().slice(0, 13)}`);
      await mkdir(parent, { recursive: true });
      const lease = takeLease(leaseDir, 'directory', dir);
      try {
        await mkdir(dir, { mode: 0o700 });
      } catch (error) {
        dropLease(leaseDir, lease);
        throw error;
      }
      return {
        dir,
        async [Symbol.asyncDispose]() {
          await removeFolder(dir);
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

/**
 * Marks commands while they run. The kernel ends a command itself with us, but not what that has started: a shell's
 * pipeline goes on. All commands share one lease, which is there as long as one of them runs.
 */
function markCommands(
  leaseDir: string,
): () => Disposable & { readonly env: Readonly<Record<string, string>> } {
  let running = 0;
  let lease: Lease | undefined;
  return () => {
    lease ??= takeLease(leaseDir, 'process', `commands of process ${process.pid}`);
    running++;
    return {
      env: { [LEASE_VARIABLE]: lease.id },
      [Symbol.dispose]() {
        if (--running > 0 || !lease) return;
        dropLease(leaseDir, lease);
        lease = undefined;
      },
    };
  };
}
