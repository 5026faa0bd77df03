import type { FileHandle } from 'node:fs/promises';
import type { BodySpec } from '../../core/body-spec.ts';
import type { ContainerSettings } from '../../core/container-settings.ts';
import type { Context } from '../../core/context.ts';
import type { Digest } from '../../core/digest.ts';
import type { LayerChain } from '../../core/layer.ts';
import type { ContentHash } from './content-hash.ts';
import type { Extent } from './extents.ts';
import type { Pool } from './pool.ts';

/** One output format as the catalog lists it. */
export interface OutputFormat<O = unknown> {
  /** As named in an `output` block. */
  readonly type: string;
  /** Hashed into every output step of this type: bump it when the bytes change. */
  readonly version: number;
  /** One sentence for help. */
  readonly doc: string;
  readonly spec: BodySpec;
  /** Written from the finished raw disk, or from the layers. */
  readonly input: 'disk' | 'rootfs';
  /** Of the file written: `qcow2`, `tar.zst`. */
  readonly extension: string;
  /** Kernel modules of which the platform wants any one to find its disk; empty: no platform is implied. */
  readonly needs: readonly string[];
  /** Carries O; never set. */
  readonly _options?: O;
}

export interface OutputRequest {
  readonly format: string;
  /** Decoded by the format's spec. */
  readonly options: unknown;
  /** The file to create; it must not exist. */
  readonly target: string;
  /** Where in the cache the file will lie, so that a later one can take from it. */
  readonly keptAs?: string;
  /** What UUIDs and ids in the file derive from. */
  readonly seed: Digest;
}

export interface ExportRootfs {
  /** The layers, lowest first. */
  readonly chain: LayerChain;
  /** Their merged view on the host. */
  readonly dir: string;
  /** Of the container image that the build started from. */
  readonly settings?: ContainerSettings;
}

export interface ExportInput {
  /** The finished raw disk; `size` in bytes. */
  readonly disk?: { readonly path: string; readonly size: number };
  readonly rootfs?: ExportRootfs;
  /** Name, version, git commit, …: goes into the metadata of formats that can carry it. */
  readonly stamp: Readonly<Record<string, string>>;
  /** Seconds since 1970: newest time in any file written. */
  readonly epoch: number;
}

export interface OutputFile {
  readonly path: string;
  readonly format: string;
  /** Length in bytes. */
  readonly size: number;
  readonly digest: Digest;
  /** Size in bytes of the disk that a machine sees. */
  readonly virtualSize?: number;
}

/** Bytes in a block: qcow2's default cluster and the usual VMDK grain. */
export const BLOCK = 65536;

/** A block of the disk that is not all zeros; a block cut off by the disk's end is filled with zeros. */
export interface DataBlock {
  /** Place on the disk in bytes, a multiple of BLOCK. */
  readonly offset: number;
  readonly data: Uint8Array;
  /** Raw deflate (RFC 1951) with a 4 KiB window, ended by a sync flush: `03 00` after it ends the stream. */
  readonly deflated?: Uint8Array;
  /** Adler-32 of `data` (RFC 1950). */
  readonly adler32?: number;
  /** CRC-32 of `data` (RFC 1952). */
  readonly crc32?: number;
}

/** What a writer wants of each block besides its data. */
export interface Wants {
  readonly deflated?: boolean;
  readonly adler32?: boolean;
  readonly crc32?: boolean;
}

/** Makes one output while the disk is read once for all of them. Dispose ends whatever it started. */
export interface DiskWriter extends AsyncDisposable {
  /** Undefined: it doesn't want blocks at all. */
  readonly wants: Wants | undefined;
  /** Blocks in ascending order; blocks left out are zeros. Their memory is reused after the promise resolves. */
  write(blocks: readonly DataBlock[]): Promise<void>;
  /** Writes what comes last. Answers the file's digest where it is known without reading the file again. */
  finish(): Promise<Digest | undefined>;
}

/** What one output is made with. */
export interface FormatJob<O> {
  readonly options: O;
  readonly target: string;
  /** `target`, open for reading and writing, empty; closed by the caller. */
  readonly file: FileHandle;
  readonly keptAs?: string;
  readonly seed: Digest;
  readonly stamp: Readonly<Record<string, string>>;
  readonly epoch: number;
  readonly pool: Pool;
  readonly ctx: Context;
}

/** The disk that all writers of a run share. */
export interface Disk {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Where there is data, ascending; the rest is zeros. */
  readonly extents: readonly Extent[];
  readonly content: ContentHash;
}

export interface DiskJob<O> extends FormatJob<O> {
  readonly disk: Disk;
}

export interface RootfsJob<O> extends FormatJob<O> {
  readonly rootfs: ExportRootfs;
}

export interface DiskFormat<O = never> extends OutputFormat {
  readonly input: 'disk';
  /** Size in bytes that a machine sees, for a disk of `size` bytes. */
  virtualSize(size: number): number;
  open(job: DiskJob<O>): Promise<DiskWriter>;
}

export interface RootfsFormat<O = never> extends OutputFormat {
  readonly input: 'rootfs';
  write(job: RootfsJob<O>): Promise<void>;
}
