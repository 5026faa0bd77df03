import type { HttpAnswer, HttpRequest } from './http.ts';
import type { Reference } from './reference.ts';

/** How a command ended. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command with the user's environment plus `env`, without a shell. */
export type RunCommand = (
  command: string,
  args: readonly string[],
  options: { readonly env: Readonly<Record<string, string>>; readonly timeoutMs: number },
) => Promise<CommandResult>;

/** What providers work with; one for all references of a run. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Asks a server, again while it is in trouble. */
  fetch(request: HttpRequest): Promise<HttpAnswer>;
  run: RunCommand;
  now(): Date;
  /**
   * Makes something once for a key, whoever asks for it and when: a login, a document. So a path is requested once. What
   * failed stays failed.
   */
  once<T>(key: readonly unknown[], make: () => Promise<T>): Promise<T>;
  /** Told of values that must not be shown besides those that references resolve to: tokens. */
  hide(secret: string): void;
}

/** A reference and what its parameters say. */
export interface Request extends Reference {
  /** The reference's parameter, or else `VALS_<NAME>` of the environment; undefined where both are missing. */
  param(name: string): string | undefined;
}

/** One backend. */
export interface Provider {
  /** What a reference without fragment becomes. */
  text(request: Request, around: Surroundings): Promise<string>;
  /** What a fragment leads into; default: the text, read as YAML or JSON. */
  document?(request: Request, around: Surroundings): Promise<unknown>;
  /** The provider follows the fragment itself. */
  readonly ownFragment?: boolean;
}
