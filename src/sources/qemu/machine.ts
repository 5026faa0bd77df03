import { isAbsolute, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Context, note } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import type { Layer, LayerChain } from '../../core/layer.ts';
import type { Machine } from '../../core/machine.ts';
import { Scope } from '../../core/scope.ts';
import { fillString } from '../../template/index.ts';
import type { DiskBus } from '../../host/qemu-command.ts';
import type { QemuOverride } from '../../host/qemu-overrides.ts';
import { imageSize, inspectImage } from '../../host/qemu-image.ts';
import { startDiskContainer } from '../../machines/disk-container.ts';
import { sshSettingsOf } from '../../machines/ssh/settings-of.ts';
import { buildKey } from '../../machines/vm/build-key.ts';
import { chainDisk } from '../../machines/vm/chain-disk.ts';
import type { GivenImage } from '../../machines/vm/place-image.ts';
import { createVm, type Vm, type VmHardware } from '../../machines/vm.ts';
import { parseBootCommand } from './boot-command.ts';
import { serveFiles } from './http-server.ts';
import { isOwnDisk } from './inputs.ts';
import { makeDisc, makeFloppy } from './media.ts';
import { diskSize, type PinnedImage, type QemuSourceOptions, qemuArgs } from './options.ts';
import { imageLayer } from './image-layer.ts';
import { imageFile, requireImage } from './pin.ts';
import { seedOf } from './seed.ts';

const MIB = 1024 * 1024;
/** Packer's own, for an installer. */
const DEFAULT_DISK = 40_960 * MIB;
/** The host as a machine with user-mode networking sees it. */
const HOST_ADDRESS = '10.0.2.2';

/**
 * QEMU's own default, which is Packer's. A system that finds the newer instructions of `max` uses them, and boots with a
 * quarter more of emulation: SSE4.2 alone makes the difference.
 */
const EMULATED_CPU = 'qemu64';

const BUSES: Readonly<Record<string, DiskBus>> = {
  virtio: 'virtio',
  'virtio-scsi': 'virtio-scsi',
  ide: 'ide',
  sata: 'ahci',
  nvme: 'nvme',
};

/** A machine on `base`; without it, one that has the image, or in which the installer has run. */
export async function startMachine(
  o: QemuSourceOptions,
  base: LayerChain | undefined,
  ctx: Context,
  memory?: Layer,
): Promise<Machine> {
  const pinned = o.pinned as PinnedImage;
  const image = await facts(await imageFile(pinned, ctx), pinned, ctx);
  if (o.engine === 'container') {
    await using scratch = await ctx.host.scratch(ctx.workDir, 'qemu-');
    const seed = await seedOf(o, scratch.dir, ctx);
    return await startDiskContainer(
      {
        base: base ?? [],
        image,
        diskSize: await sizeOf(o, base, image),
        ...(seed && { seed }),
        ...(o.ssh_username !== undefined && { user: o.ssh_username }),
      },
      ctx,
    );
  }
  await using scope = new Scope();
  const scratch = scope.use(await ctx.host.scratch(ctx.workDir, 'qemu-'), "the source's folder");
  const installing = !o.disk_image && base === undefined;
  const typed = o.boot_command.length > 0 && base === undefined;
  const server =
    o.http_directory !== undefined || o.http_content !== undefined
      ? scope.use(
          await serveFiles(
            {
              ...(o.http_directory !== undefined && { directory: inTemplate(o.http_directory, ctx) }),
              ...(o.http_content && { content: o.http_content }),
            },
            {
              ...(o.http_bind_address !== undefined && { address: o.http_bind_address }),
              ...(o.http_port_min !== undefined && { portMin: o.http_port_min }),
              ...(o.http_port_max !== undefined && { portMax: o.http_port_max }),
            },
          ),
          'the HTTP server',
        )
      : undefined;
  const key = buildKey(ctx.cacheDir);
  const values = {
    HTTPIP: HOST_ADDRESS,
    HTTPPort: String(server?.port ?? 0),
    HTTPDir: o.http_directory ?? '',
    Name: o.vm_name ?? `packer-${ctx.build?.name ?? ''}`,
    OutputDir: o.output_directory ?? '',
    SSHHostPort: '0',
    SSHPublicKey: key.publicKey,
  };
  const hasDisc = o.cd_files.length > 0 || Object.keys(o.cd_content).length > 0;
  const ownLogin =
    o.ssh_password !== undefined || o.ssh_private_key_file !== undefined || o.ssh_agent_auth === true;
  // Its first start is the source's work, so that an edit of the first provisioner costs no boot.
  const starts = o.disk_image && base === undefined;
  const below = starts ? await imageLayer(pinned, image, scope, ctx) : base;
  if (starts && below) ctx.onFoundation?.(below);
  const vm = await createVm(
    {
      base: below ?? [],
      ...(memory && { memory }),
      ...(o.disk_image && { image }),
      diskSize: await sizeOf(o, base, image),
      hardware: await hardwareOf(o, { image, installing, dir: scratch.dir, values }, ctx),
      ssh:
        o.communicator === 'none'
          ? 'none'
          : await sshSettingsOf(o, ownLogin ? undefined : key.privateKey, ctx),
      guestPort: o.ssh_port,
      ...(!ownLogin &&
        !hasDisc &&
        o.disk_image &&
        o.ssh_username !== undefined && { seedUser: o.ssh_username }),
      ...(o.shutdown_command !== undefined && { shutdownCommand: o.shutdown_command }),
      shutdownTimeoutMs: o.shutdown_timeout,
      ...(typed && { onStart: ({ dir }) => typeAt(o, dir, values, ctx) }),
    },
    ctx,
  );
  scope.use(vm, 'the machine');
  // With nobody let in, the image sets itself up (an installer, a seed on a disc), and says by its end that it is done.
  if (installing || starts) await (o.communicator === 'none' ? vm.untilOff() : vm.up());
  return ownedBy(vm, scope.move(), server);
}

async function facts(path: string, { sha256 }: PinnedImage, ctx: Context): Promise<GivenImage> {
  const { format } = await inspectImage(path);
  // What lies in the cache is nobody else's to write to.
  const shared = path.startsWith(join(ctx.cacheDir, 'downloads/'));
  return { path, format, readOnly: true, shared, verify: () => requireImage(path, sha256, ctx) };
}

async function sizeOf(
  o: QemuSourceOptions,
  base: LayerChain | undefined,
  image: GivenImage,
): Promise<number> {
  const asked = o.disk_size === undefined ? undefined : (diskSize(o.disk_size) as number);
  const below = base && chainDisk(base);
  const has = below
    ? await imageSize(below.path)
    : o.disk_image
      ? (await inspectImage(image.path)).virtualSize
      : 0;
  if (o.disk_image && (o.skip_resize_disk || asked === undefined)) return has;
  const wanted = asked ?? DEFAULT_DISK;
  if (wanted < has && o.disk_image && asked !== undefined) {
    throw new IngotError('qemu/disk-too-small', `disk_size is ${wanted} bytes, and the image has ${has}`, {
      hint: 'A disk cannot shrink: raise disk_size, or set skip_resize_disk = true.',
    });
  }
  return Math.max(wanted, has);
}

interface Surroundings {
  readonly image: GivenImage;
  readonly installing: boolean;
  readonly dir: string;
  readonly values: Readonly<Record<string, string>>;
}

async function hardwareOf(o: QemuSourceOptions, s: Surroundings, ctx: Context): Promise<VmHardware> {
  const disc = await makeDisc(o, s.dir, ctx);
  const floppy = await makeFloppy(o, s.dir, ctx);
  const overrides = overridesOf(o, s.values);
  const typed = o.boot_command.length > 0;
  const accel = o.accelerator === undefined ? 'auto' : o.accelerator === 'kvm' ? 'kvm' : 'tcg';
  const uefi = o.efi_boot || o.efi_firmware_code !== undefined;
  return {
    cpus: o.cpus,
    memory: o.memory * MIB,
    firmware: uefi ? 'uefi' : 'bios',
    ...(o.efi_firmware_code !== undefined && {
      uefi: {
        code: inTemplate(o.efi_firmware_code, ctx),
        ...(o.efi_firmware_vars !== undefined && { vars: inTemplate(o.efi_firmware_vars, ctx) }),
      },
    }),
    bus: BUSES[o.disk_interface] as DiskBus,
    accel,
    emulatedCpu: EMULATED_CPU,
    // A kernel of a cloud has no driver for discs: there it is a disk as well.
    ...(disc && o.disk_image && { extraDisks: [disc] }),
    cwd: ctx.templateDir,
    more: {
      machine: o.machine_type,
      nic: o.net_device === 'virtio-net' ? 'virtio-net-pci' : o.net_device,
      ...(o.cpu_model !== undefined && { cpu: o.cpu_model }),
      discs: [...(s.installing ? [s.image] : []), ...(disc ? [disc] : [])],
      ...(floppy && { floppy }),
      ...(typed && { vnc: 'vnc.sock' }),
      ...(overrides.length > 0 && { overrides }),
    },
  };
}

/** The user's options for QEMU, filled in, without those for the disk that is there anyway. */
function overridesOf(o: QemuSourceOptions, values: Readonly<Record<string, string>>): QemuOverride[] {
  const filled = (qemuArgs(o.qemuargs) ?? []).map(
    ([name, value]): QemuOverride =>
      value === undefined ? [name] : [name, fillString(value, values, 'qemuargs')],
  );
  const isOwn = ([name, value = '']: QemuOverride): boolean => {
    const file = name === '-drive' ? /(?:^|,)file=([^,]+)/.exec(value)?.[1] : undefined;
    return file !== undefined && isOwnDisk(file, o);
  };
  const own = new Set(filled.filter(isOwn).map(([, value = '']) => /(?:^|,)id=([^,]+)/.exec(value)?.[1]));
  return filled.filter((option) => {
    const drive = option[0] === '-device' ? /,drive=([^,]+)/.exec(option[1] ?? '')?.[1] : undefined;
    return !isOwn(option) && (drive === undefined || !own.has(drive));
  });
}

/** Waits for the boot loader and types. */
async function typeAt(
  o: QemuSourceOptions,
  dir: string,
  values: Readonly<Record<string, string>>,
  ctx: Context,
): Promise<void> {
  const { VncKeyboard } = await import('./vnc.ts');
  await delay(o.boot_wait, undefined, { signal: ctx.signal });
  await using keyboard = await VncKeyboard.connect(join(dir, 'vnc.sock'));
  note(ctx, 'typing the boot command');
  for (const text of o.boot_command) {
    const { actions } = parseBootCommand(fillString(text, values, 'boot_command'));
    await keyboard.type(actions, o.boot_key_interval, ctx.signal);
    await delay(o.boot_keygroup_interval, undefined, { signal: ctx.signal });
  }
}

function inTemplate(path: string, ctx: Pick<Context, 'templateDir'>): string {
  return isAbsolute(path) ? path : join(ctx.templateDir, path);
}

/** The machine, whose end is the end of all that it stands on. */
function ownedBy(vm: Vm, scope: Scope, server: AsyncDisposable | undefined): Machine {
  return {
    kind: vm.kind,
    os: vm.os,
    communicator: vm.communicator,
    generated: vm.generated,
    get chain() {
      return vm.chain;
    },
    reboot: () => vm.reboot(),
    keepsMemory: vm.keepsMemory,
    snapshot: (into, memory) => vm.snapshot(into, memory),
    async leave() {
      const left = await vm.leave();
      if (!left) return undefined;
      await server?.[Symbol.asyncDispose]();
      scope.move();
      return left;
    },
    finish: () => vm.finish(),
    [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
  };
}
