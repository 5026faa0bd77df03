import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Wants } from './types.ts';
import { workerSource } from './pool-worker.ts';

/** Reads a stretch of a file and finds the blocks in it that are not zeros. */
interface BlocksJob {
  readonly kind: 'blocks';
  /** Descriptors are the process's, so workers read through ours. */
  readonly fd: number;
  readonly offset: number;
  readonly length: number;
  /** Where to read to; comes back in the answer. */
  readonly buffer: ArrayBuffer;
  readonly wants: Wants;
  readonly level: number;
}

export interface BlocksAnswer {
  readonly buffer: ArrayBuffer;
  /** Places in `buffer` of blocks with data. */
  readonly found: readonly number[];
  /** The deflated blocks, one after the other, and their lengths. */
  readonly packed: ArrayBuffer;
  readonly lengths: readonly number[];
  readonly adlers: readonly number[];
  readonly crcs: readonly number[];
}

/** Deflates a piece of a gzip stream (32 KiB window, ended by a sync flush). */
interface GzipJob {
  readonly kind: 'gzip';
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly level: number;
}

export interface GzipAnswer {
  readonly packed: Uint8Array<ArrayBuffer>;
  readonly crc32: number;
}

/** SHA-256 of the bytes from `start` up to `end` of a file. */
interface HashJob {
  readonly kind: 'hash';
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

interface Task {
  readonly job: BlocksJob | GzipJob | HashJob;
  readonly transfer: readonly ArrayBuffer[];
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

/** Threads, one for each core, that read, deflate and hash. Dispose ends them; open jobs are rejected. */
export class Pool implements AsyncDisposable {
  readonly size: number;
  readonly #workers: Worker[] = [];
  readonly #idle: Worker[] = [];
  readonly #waiting: Task[] = [];
  readonly #running = new Map<Worker, Task>();
  #broken: unknown;

  constructor(size = Math.min(16, availableParallelism())) {
    this.size = size;
  }

  blocks(job: Omit<BlocksJob, 'kind'>): Promise<BlocksAnswer> {
    return this.#run({ kind: 'blocks', ...job }, [job.buffer]);
  }

  /** `bytes` moves to the worker: it is empty afterwards. */
  gzip(bytes: Uint8Array<ArrayBuffer>, level: number): Promise<GzipAnswer> {
    return this.#run({ kind: 'gzip', bytes, level }, [bytes.buffer]);
  }

  /** SHA-256 in hex of `path` from `start` up to `end`. */
  async hash(path: string, start: number, end: number): Promise<string> {
    return (await this.#run<{ sha256: string }>({ kind: 'hash', path, start, end }, [])).sha256;
  }

  #run<A>(job: Task['job'], transfer: readonly ArrayBuffer[]): Promise<A> {
    return new Promise<A>((resolve, reject) => {
      if (this.#broken !== undefined) return reject(this.#broken);
      this.#waiting.push({ job, transfer, resolve: resolve as (answer: unknown) => void, reject });
      this.#dispatch();
    });
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const worker = this.#idle.pop() ?? this.#spawn();
      if (!worker) return;
      const task = this.#waiting.shift() as Task;
      this.#running.set(worker, task);
      worker.postMessage(task.job, task.transfer);
    }
  }

  #spawn(): Worker | undefined {
    if (this.#workers.length >= this.size) return undefined;
    // No flags of the parent: a test runner's loaders have no place in here.
    const worker = new Worker(workerSource, { eval: true, execArgv: [] });
    worker.on('message', (message: { answer?: unknown; error?: unknown }) => {
      const task = this.#running.get(worker);
      this.#running.delete(worker);
      this.#idle.push(worker);
      if (message.error === undefined) task?.resolve(message.answer);
      else task?.reject(message.error);
      this.#dispatch();
    });
    worker.on('error', (error) => this.#fail(error));
    this.#workers.push(worker);
    return worker;
  }

  #fail(error: unknown): void {
    this.#broken ??= error;
    for (const task of [...this.#running.values(), ...this.#waiting.splice(0)]) task.reject(error);
    this.#running.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#fail(new Error('the compression pool was closed'));
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
