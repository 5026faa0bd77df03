import { mkdirSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/error.ts';
import { type LayerChain, layerFile, type StagedLayer } from '../core/layer.ts';
import type { ExecResult, Machine } from '../core/machine.ts';
import type { Rootfs } from '../core/rootfs.ts';
import { openRootfs } from '../host/index.ts';
import type { QemuDisk } from '../host/qemu-command.ts';
import { startContainer } from './container.ts';
import { removePlaceholder } from './container/overlay-root.ts';
import type { ContainerRoot, Leave } from './container/root.ts';
import { LAYER_DISK } from './vm/chain-disk.ts';
import { DiskRoot } from './vm/disk-root.ts';
import { placeImage } from './vm/place-image.ts';

export interface DiskContainerOptions {
  /** Layers of kind `qcow2`, lowest first. */
  readonly base: LayerChain;
  /** Where there are no layers: the image that becomes the first one. */
  readonly image: QemuDisk;
  /** Bytes that the disk has; more than the image has grows its root filesystem. */
  readonly diskSize: number;
  /** A NoCloud seed by file name: cloud-init's first start runs with it, before the first command. */
  readonly seed?: ReadonlyMap<string, Uint8Array>;
  /** Who runs commands, as over SSH; made where there is none, and may use sudo. */
  readonly user?: string;
}

/** Units that would give the image a first start, or wait for a cloud. Their work is done by {@link settle}. */
const WORDS = ['cloud-init=disabled', 'systemd.firstboot=off'];
/** cloud-init reads these from PID 1, as it does from a kernel: the network is the host's, and the seed is on the disk. */
const SEED_WORDS = ['systemd.firstboot=off', 'ds=nocloud', 'network-config=disabled'];
const SEED_DIR = '/var/lib/cloud/seed/nocloud';

/**
 * A container on the root filesystem of a disk image, with its systemd running: for scripts that are written for the
 * machine which that image is. Kernel, devices and boot loader are those of no machine.
 */
export async function startDiskContainer(o: DiskContainerOptions, ctx: Context): Promise<Machine> {
  let root: DiskContainerRoot | undefined;
  return await startContainer(
    {
      base: o.base,
      boot: true,
      bootWords: () => (root?.isFirstStart ? SEED_WORDS : WORDS),
      root: (dir) => {
        root = new DiskContainerRoot(o, dir, ctx);
        return root;
      },
      onBoot: (run) => settle(o.user, run),
      ...(o.user !== undefined && o.user !== 'root' && { user: o.user }),
    },
    ctx,
  );
}

class DiskContainerRoot implements ContainerRoot {
  readonly kind = 'qcow2';
  readonly upper = undefined;
  readonly #options: DiskContainerOptions;
  readonly #ctx: Context;
  readonly #dir: string;
  readonly #disk: DiskRoot;
  #chain: LayerChain;
  #isMounted = false;

  constructor(options: DiskContainerOptions, dir: string, ctx: Context) {
    this.#options = options;
    this.#ctx = ctx;
    this.#dir = dir;
    this.#chain = options.base;
    this.#disk = new DiskRoot(ctx.host, dir, options.base, options.diskSize);
  }

  /** Nothing but the image is there, and it has a seed. */
  get isFirstStart(): boolean {
    return this.#options.seed !== undefined && this.#chain.length <= 1;
  }

  async mounted(): Promise<Rootfs> {
    const { dir } = await this.#disk.mounted();
    const root = openRootfs(dir);
    if (!this.#isMounted && this.isFirstStart) {
      root.mkdir(SEED_DIR);
      for (const [name, data] of this.#options.seed ?? []) root.write(`${SEED_DIR}/${name}`, data);
    }
    this.#isMounted = true;
    return root;
  }

  /** A copy: the mount ends with the process of ours that shows the disk as a file. */
  async leave(): Promise<string> {
    const { dir } = await this.mounted();
    const copy = join(this.#dir, 'left');
    mkdirSync(copy);
    const { host, signal } = this.#ctx;
    await host.run('cp', ['--archive', '--one-file-system', '--', `${dir}/.`, copy], { signal });
    await this.#disk[Symbol.asyncDispose]();
    return copy;
  }

  async moveInto(layer: StagedLayer, leave: Leave): Promise<void> {
    const target = layerFile(layer, LAYER_DISK);
    if (this.#chain.length === 0) await placeImage(this.#ctx, this.#options.image, target);
    else {
      if (this.#isMounted) {
        const root = await this.mounted();
        for (const file of leave.lent) file.takeBackMounted(root);
        for (const path of leave.residue) removePlaceholder(root.hostPath(path));
        if (this.isFirstStart) root.remove(SEED_DIR);
      }
      await rename(await this.#disk.close(), target);
    }
    this.#isMounted = false;
    const own = { ...layer, kind: 'qcow2' as const, dir: layer.committedDir };
    this.#chain = [...this.#chain, { ...own, parents: [], blobs: [], localOnly: false, result: null }];
    this.#disk.continueOn(this.#chain);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#disk[Symbol.asyncDispose]();
  }
}

/** What the image's first start in a cloud would have done for scripts: a user who may use sudo. */
const USER = `id "$1" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$1" || exit 1
[ "$1" = root ] && exit 0
command -v sudo >/dev/null || exit 0
printf '%s ALL=(ALL) NOPASSWD:ALL\\n' "$1" > /etc/sudoers.d/90-ingot-build && chmod 0440 /etc/sudoers.d/90-ingot-build`;

async function settle(
  user: string | undefined,
  run: (argv: readonly string[]) => Promise<ExecResult>,
): Promise<void> {
  if (user === undefined) return;
  const { exitCode, stderr } = await run(['/bin/sh', '-c', USER, 'sh', user]);
  if (exitCode === 0) return;
  throw new IngotError('machine/boot-failed', `the user ${user} could not be made in the image`, {
    hint: 'Set ssh_username to a user that the image has.',
    output: stderr.split('\n').filter(Boolean).slice(-5),
  });
}
