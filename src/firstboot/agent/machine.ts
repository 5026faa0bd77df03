import type { FirstBootConfig } from '../config.ts';

/** What a command of ours ended with. */
export interface Ended {
  readonly exitCode: number;
  readonly output: string;
}

/** The machine that the agent runs on, as far as it matters; a folder in tests. */
export interface AgentMachine {
  readonly config: FirstBootConfig;
  /** A path as the machine's own: with a folder in front of it in tests. */
  place(path: string): string;
  /** Environment of the agent itself. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Runs a command to its end, without a shell. Its output goes to the journal, and unless `quiet` is answered, masked. */
  run(
    argv: readonly string[],
    options?: {
      readonly env?: Readonly<Record<string, string>>;
      readonly input?: string;
      readonly timeoutMs?: number;
      readonly quiet?: boolean;
    },
  ): Promise<Ended>;
  /** A line on the console and in the journal. */
  say(line: string): void;
  /** A line in the journal alone. */
  note(line: string): void;
  /** Hides a text in all that is said from now on. */
  hide(secret: string): void;
  /** A text without what is hidden. */
  masked(text: string): string;
  readonly now: () => Date;
  /** Seconds since the machine was started. */
  readonly uptime: () => number;
  /** `uptime` when this process was started. */
  readonly startedAt: number;
  readonly signal: AbortSignal;
  /** Pauses between attempts: the first, and the longest, in milliseconds. */
  readonly pauses: { readonly first: number; readonly longest: number };
}
