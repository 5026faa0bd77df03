import type { Layer, LayerChain } from '../../core/layer.ts';
import type { AccelerationChoice } from '../../host/acceleration.ts';
import type { DiskBus, Firmware, QemuDisk } from '../../host/qemu-command.ts';
import type { QemuOptions } from '../../host/qemu.ts';
import type { SshSettings } from '../ssh/settings.ts';

export interface VmHardware {
  readonly cpus?: number;
  /** Bytes. */
  readonly memory?: number;
  readonly firmware?: Firmware;
  readonly uefi?: QemuOptions['uefi'];
  readonly bus?: DiskBus;
  readonly accel?: AccelerationChoice;
  readonly emulatedCpu?: QemuOptions['emulatedCpu'];
  readonly more?: NonNullable<QemuOptions['more']>;
  /** Read-only disks behind the boot disk. */
  readonly extraDisks?: readonly QemuDisk[];
  /** Folder that names in `more.overrides` start from. */
  readonly cwd?: string;
}

export interface VmOptions {
  /** Layers of kind `qcow2`, lowest first. */
  readonly base: LayerChain;
  /** Kept when the uppermost of them was cut. */
  readonly memory?: Layer;
  /** Where there are no layers: the image to start from, taken over as the first layer. */
  readonly image?: QemuDisk;
  /** Bytes that the guest sees; more than the disk below has grows it. */
  readonly diskSize: number;
  readonly hardware: VmHardware;
  /** `none`: nothing is run in it. Host and port are QEMU's. */
  readonly ssh: Omit<SshSettings, 'host' | 'port'> | 'none';
  readonly guestPort: number;
  /** Give the machine a NoCloud seed that lets our key in as this user. */
  readonly seedUser?: string;
  readonly shutdownCommand?: string;
  readonly shutdownTimeoutMs: number;
  /** Called when QEMU has started: types at the keyboard, for instance. */
  readonly onStart?: (sockets: { readonly dir: string }) => Promise<void>;
}
