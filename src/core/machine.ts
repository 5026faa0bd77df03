import type { Artifact } from './artifact.ts';
import type { ContainerSettings } from './container-settings.ts';
import type { LayerChain, StagedLayer } from './layer.ts';

export interface ExecOptions {
  /** Absolute path in the machine; default: `/`, over SSH where a login begins, in Docker where the image says. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly input?: string | Uint8Array;
  readonly onLine?: (stream: 'stdout' | 'stderr', line: string) => void;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface ExecResult {
  readonly exitCode: number;
  /** Whole output is only kept up to 1 MiB a stream; use onLine for more. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface TransferOptions {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** Acts inside a machine. A non-zero exit code is an answer, not an exception. */
export interface Communicator {
  /** `argv[0]` is looked up on the machine's PATH; no shell is involved. */
  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Copies a host file into the machine. `destination` is the file's absolute path there. */
  upload(source: string, destination: string, options?: TransferOptions): Promise<void>;
  uploadBytes(data: string | Uint8Array, destination: string, options?: TransferOptions): Promise<void>;
  /** rsync's rule, as in Packer: with a trailing slash on `source` its content goes in, without it the folder itself. */
  uploadDirectory(source: string, destination: string, exclude?: readonly string[]): Promise<void>;
  download(source: string, destination: string): Promise<void>;
  downloadDirectory(source: string, destination: string): Promise<void>;
}

/** What `build.*` and `{{ build }}` answer: plain values by name (ID, Host, User, PackerRunUUID, …). */
export type GeneratedData = ReadonlyMap<string, string | number | boolean>;

/** A machine's memory on its way into a layer, while the machine may already go on. */
export interface MemorySnapshot {
  /** Whether all of it is there; never rejects. */
  readonly written: Promise<boolean>;
}

/** A machine that was let go of, for a look at what failed in it. */
export interface LeftMachine {
  /** The command that looks inside. */
  readonly look: string;
  /** What becomes of it, where it is not ours to take away: a sentence's second half. */
  readonly fate?: string;
}

/** A running place where provisioners act. Dispose stops it and throws its changes away. */
export interface Machine extends AsyncDisposable {
  /** `none`: there is nothing to run in (`communicator = "none"`). */
  readonly kind: 'container' | 'vm' | 'docker' | 'ssh' | 'none';
  readonly os: 'linux' | 'windows';
  readonly communicator: Communicator;
  readonly generated: GeneratedData;
  /** Layers below the changes made so far. */
  readonly chain: LayerChain;
  /** Of the container image that it was started from, where there is one. */
  readonly settings?: ContainerSettings;
  /** Restarts it and waits until it answers again. */
  reboot?(): Promise<void>;
  /**
   * Moves the changes since the last snapshot into `into` (quiesced). The machine goes on above
   * `into.committedDir`, so commit before the next exec. `memory`, where it can take more than its disk has, gets what
   * lets another machine go on from that very moment.
   */
  snapshot?(into: StagedLayer, memory?: StagedLayer): Promise<MemorySnapshot | void>;
  /** Its memory can be kept. */
  readonly keepsMemory?: boolean;
  /**
   * Ends what runs in it and lets go of it with everything that it holds, for a look at what failed
   * (`-on-error=abort`). Nothing where there is nothing to look at. Its leases stay, and outlive us.
   */
  leave?(): Promise<LeftMachine | undefined>;
  /** Stops it in order and hands over what it made. */
  finish(): Promise<Artifact>;
}
