import type { Sources } from '../core/diagnostic.ts';
import type { BuildEvent } from '../core/event.ts';

export const reporterKinds = ['tty', 'plain', 'jsonl', 'machine-readable', 'junit'] as const;
export type ReporterKind = (typeof reporterKinds)[number];

/** Where a reporter writes; a Node stream fits. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface ReporterOptions {
  readonly stream: OutputStream;
  readonly color: boolean;
  /** Columns of lines that are cut to fit; default: the stream's own, else 80. */
  readonly width?: number;
  /** Texts for the excerpts of diagnostics; may be filled while the reporter runs. */
  readonly sources?: Sources;
  /** Names of files in diagnostics (RenderOptions). */
  readonly shownAs?: (file: string) => string;
  /** Milliseconds since 1970; only shown, never hashed. */
  readonly now?: () => number;
  /** `plain`: each line starts with the time. */
  readonly timestamps?: boolean;
}

/** Turns events into text. The only place below the command line that prints. */
export interface Reporter {
  handle(event: BuildEvent): void;
  /** Takes a live view off the screen; call the answer to bring it back. */
  suspend?(): () => void;
  /** Writes what is left and gives the terminal back. */
  close(): Promise<void>;
}

/** A reporter of the kind; its code is loaded here, so that no verb pays for what it does not show. */
export async function createReporter(kind: ReporterKind, options: ReporterOptions): Promise<Reporter> {
  switch (kind) {
    case 'tty':
      return (await import('./tty.ts')).ttyReporter(options);
    case 'plain':
      return (await import('./plain.ts')).plainReporter(options);
    case 'jsonl':
      return (await import('./jsonl.ts')).jsonlReporter(options);
    case 'machine-readable':
      return (await import('./machine-readable.ts')).machineReadableReporter(options);
    case 'junit':
      return (await import('./junit.ts')).junitReporter(options);
  }
}
