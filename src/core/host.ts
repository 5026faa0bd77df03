import type { Readable } from 'node:stream';

/** How a process of the host is run. The environment is clean (PATH, LC_ALL=C.UTF-8, TZ=UTC) plus `env`. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string | Uint8Array | Readable;
  /** Exit codes that are no error; default [0]. `'any'`: the caller looks at the result. */
  readonly okCodes?: readonly number[] | 'any';
  readonly onLine?: (stream: 'stdout' | 'stderr', line: string) => void;
  /** Gets stdout as it comes, in place of `onLine` and the result. */
  readonly onBytes?: (data: Uint8Array) => void;
  readonly timeoutMs?: number;
  /** Most bytes of stdout kept in the result; default 10 MiB; more is an error unless onLine or onBytes is given. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  /** Open descriptors that the process gets as 3, 4, …; the caller closes its own. */
  readonly inherit?: readonly number[];
  /** It starts nothing that could outlive it: no lease is written, and so no folder of ours is needed. */
  readonly isAlone?: boolean;
}

export interface RunResult {
  readonly exitCode: number;
  readonly signal?: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process that outlives the call that started it (QEMU, a booted container). Dispose ends it and waits. */
export interface HostProcess extends AsyncDisposable {
  readonly pid: number;
  /** Resolves when the process has ended, however. */
  readonly ended: Promise<RunResult>;
}

/** A mount of ours; dispose unmounts it. */
export interface Mount extends AsyncDisposable {
  readonly target: string;
}

export interface OverlaySpec {
  /** Read-only folders, lowest first (the order of a layer chain; the kernel's own option is reversed). */
  readonly lower: readonly string[];
  /** Both on one filesystem; absent for a read-only view. */
  readonly upper?: string;
  readonly work?: string;
  /** Folder to mount on; it exists. */
  readonly target: string;
}

/** A disk image, and the one below it, where it is an overlay. */
export interface DiskFile {
  readonly path: string;
  readonly format: 'raw' | 'qcow2';
  readonly backing?: DiskFile;
}

export interface DiskMountSpec {
  /** Written to; what lies below it is only read. */
  readonly disk: DiskFile;
  /** Give the root filesystem the room behind it, where the disk has become larger. */
  readonly grow?: boolean;
  /** Empty folder of the caller's, on which everything of the mount lies. */
  readonly dir: string;
}

/** What kind of thing a lease speaks of; says how to recover it. */
export type LeaseKind = 'mount' | 'process' | 'loop' | 'directory' | 'cgroup' | 'netns';

/**
 * The only way to the machine that we run on. Every mount, process and scratch folder taken here has a
 * lease file, so that the next run or `ingot clean` recovers it after kill -9.
 */
export interface Host {
  /** Runs to the end. Throws `host/command-failed` with the output's last lines, `host/missing-tool` with the apt command. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Starts a process in a group of its own, under a lease. */
  start(command: string, args: readonly string[], options?: RunOptions): Promise<HostProcess>;
  mountOverlay(spec: OverlaySpec): Promise<Mount>;
  /** Mounts a tmpfs at an existing folder. `size` in bytes. */
  mountTmpfs(target: string, size: number): Promise<Mount>;
  /**
   * Mounts the root filesystem of a disk. Dispose writes everything back and closes the image. Throws `disk/no-root`
   * where it has none that can be mounted.
   */
  mountDisk(spec: DiskMountSpec): Promise<Mount>;
  /** A fresh folder `<parent>/<prefix>XXXXXX`, removed on dispose. */
  scratch(parent: string, prefix: string): Promise<AsyncDisposable & { readonly dir: string }>;
  /** Absolute path of a tool, or throws `host/missing-tool` naming the package that has it. */
  requireTool(name: string): string;
  /** Throws `host/not-root` with the remedy, when we are not root. `what`: why root is needed. */
  requireRoot(what: string): void;
}
