import type { Digest } from '../core/digest.ts';
import type { TestOutcome } from '../plan/catalog.ts';
import type { ReleaseRecord } from './environment.ts';

export interface OutputReport {
  readonly format: string;
  readonly path: string;
  readonly digest: Digest;
  /** Bytes of the file. */
  readonly size: number;
}

/** What became of one image. */
export interface ImageReport {
  readonly name: string;
  readonly version: string;
  readonly status: 'done' | 'failed';
  readonly outputs: readonly OutputReport[];
  readonly tests: readonly { readonly label: string; readonly type: string; readonly outcome: TestOutcome }[];
  readonly release?: ReleaseRecord;
  readonly steps: { readonly total: number; readonly cached: number; readonly ran: number };
  readonly seconds: number;
}
