import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BootedAs, Commands } from '../checks/goss.ts';
import type { Context } from '../core/context.ts';
import type { Mount } from '../core/host.ts';
import type { Rootfs } from '../core/rootfs.ts';
import { Scope } from '../core/scope.ts';
import { openRootfs } from '../host/index.ts';
import { inspectImage } from '../host/qemu-image.ts';
import { requireWhole } from '../host/require-bootable.ts';
import { startAgentVm } from '../machines/agent-vm.ts';
import { startContainer } from '../machines/container.ts';
import type { ContainerRoot } from '../machines/container/root.ts';
import { mountCopy } from './mount-copy.ts';

/** A disk image that can be looked into, and booted as a throwaway container or virtual machine. */
export interface OpenedImage extends AsyncDisposable {
  readonly root: Rootfs;
  boot(as: BootedAs): Promise<Commands>;
}

/**
 * Mounts the root filesystem of a raw or qcow2 disk, also of one that was made elsewhere. The image itself is only read:
 * what a boot writes lands in an overlay. The booted copy reaches nothing outside of it.
 */
export async function openDiskImage(path: string, ctx: Context): Promise<OpenedImage> {
  ctx.host.requireRoot('to mount a disk image');
  const facts = await inspectImage(path);
  await requireWhole(ctx.host, path, facts);
  await using scope = new Scope();
  const scratch = scope.use(await ctx.host.scratch(ctx.workDir, 'goss-'), "the image's folder");
  const mounted = async (name: string): Promise<Mount> => {
    const dir = join(scratch.dir, name);
    mkdirSync(dir);
    return await mountCopy(path, facts, dir, ctx.host);
  };
  const view = scope.use(await mounted('view'), 'the view of the image');
  const held = scope.move();
  return {
    root: openRootfs(view.target),
    async boot(as) {
      if (as === 'vm') {
        const vm = await startAgentVm({ image: path, facts, network: 'isolated' }, ctx);
        return held.use(vm, 'the booted copy').communicator;
      }
      // A mount of its own: what the booted copy writes must not change what the disk checks see.
      const copy = held.use(await mounted('boot'), "the booted copy's disk");
      const machine = await startContainer(
        { base: [], boot: true, network: 'none', root: () => throwawayRoot(copy.target) },
        ctx,
      );
      held.use(machine, 'the booted copy');
      // It starts with its first command, and the time of that is not to be the first check's.
      await machine.communicator.exec(['true']);
      return machine.communicator;
    },
    [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
  };
}

/** The root of a container from which no layer is ever made. Its mount belongs to the caller. */
function throwawayRoot(dir: string): ContainerRoot {
  return {
    kind: 'qcow2',
    upper: undefined,
    mounted: () => Promise.resolve(openRootfs(dir)),
    moveInto: () => Promise.reject(new TypeError('a throwaway copy makes no layer')),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
