import type { Diagnostic, SourceRange, Sources } from './diagnostic.ts';

/** Exit codes of the command line (DESIGN.md, section 6). */
export const ExitCode = {
  Done: 0,
  /** The work failed, or, in Packer's verbs, the template is wrong. */
  Failed: 1,
  /** The command line or the image file is wrong. */
  Usage: 2,
  /** `fmt -check` found changes. */
  Unformatted: 3,
  /** A goss file, its template or its variables are wrong (sysexits.h, EX_CONFIG). */
  Config: 78,
  Interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export interface IngotErrorOptions {
  /** What to do next. */
  hint?: string;
  range?: SourceRange;
  /** Label of the step that failed, for example `provisioner.shell[2]`. */
  step?: string;
  cause?: unknown;
  exitCode?: ExitCode;
  /** Last lines of output of what failed; shown below the message. Already masked. */
  output?: readonly string[];
}

/**
 * What running throws: one error with a stable code. Message = what was received and expected.
 * Anything else that reaches the command line is a defect of Ingot and is reported as one.
 */
export class IngotError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly range: SourceRange | undefined;
  readonly step: string | undefined;
  readonly exitCode: ExitCode;
  readonly output: readonly string[];

  constructor(code: string, message: string, options: IngotErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'IngotError';
    this.code = code;
    this.hint = options.hint;
    this.range = options.range;
    this.step = options.step;
    this.exitCode = options.exitCode ?? ExitCode.Failed;
    this.output = options.output ?? [];
  }

  /** The same error with what the caller knows better: step and template range. First word wins. */
  at(where: { step?: string; range?: SourceRange }): IngotError {
    return new IngotError(this.code, this.message, {
      hint: this.hint,
      range: this.range ?? where.range,
      step: this.step ?? where.step,
      cause: this.cause,
      exitCode: this.exitCode,
      output: this.output,
    });
  }

  toDiagnostic(): Diagnostic {
    return {
      code: this.code,
      severity: 'error',
      message: this.message,
      ...(this.range && { range: this.range }),
      ...(this.hint !== undefined && { hint: this.hint }),
      cause: this,
    };
  }
}

/** Several diagnostics that end a command together. */
export class DiagnosticsError extends Error {
  readonly diagnostics: readonly Diagnostic[];
  readonly exitCode: ExitCode;
  /** Texts for the excerpts. */
  readonly sources: Sources;

  constructor(
    diagnostics: readonly Diagnostic[],
    exitCode: ExitCode = ExitCode.Failed,
    sources: Sources = new Map(),
  ) {
    super(diagnostics.map((d) => `${d.code}: ${d.message}`).join('\n'));
    this.name = 'DiagnosticsError';
    this.diagnostics = diagnostics;
    this.exitCode = exitCode;
    this.sources = sources;
  }
}

/**
 * What went wrong first, and what could not be released because of it: `await using` hands out both as one
 * SuppressedError (ECMA-262, explicit resource management), of which the last is outermost.
 */
export function firstError(thrown: unknown): { readonly first: unknown; readonly later: readonly unknown[] } {
  const later: unknown[] = [];
  let first = thrown;
  while (first instanceof Error && first.name === 'SuppressedError') {
    const { error, suppressed } = first as Error & { error: unknown; suppressed: unknown };
    later.unshift(error);
    first = suppressed;
  }
  return { first, later };
}

/** `thrown` as an IngotError; foreign errors are wrapped under `code` and keep themselves as cause. */
export function asIngotError(thrown: unknown, code = 'internal/unexpected'): IngotError {
  const error = firstError(thrown).first;
  if (error instanceof IngotError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new IngotError(code, message, { cause: error });
}
