/** A place in a source text. `offset` counts UTF-16 code units from 0; line and column count from 1. */
export interface SourcePosition {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

/** A half-open stretch of one file's text: `end` is the position behind the last character. */
export interface SourceRange {
  readonly file: string;
  readonly start: SourcePosition;
  readonly end: SourcePosition;
}

export type Severity = 'error' | 'warning';

/**
 * One finding about what the user gave us. Parsing and planning return all of them at once.
 * `message` says what was received and what was expected; `hint` says what to do next.
 */
export interface Diagnostic {
  /** `room/name`, for example `plan/cycle`; explained in docs/errors/<code>.md. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly range?: SourceRange;
  readonly hint?: string;
  readonly cause?: unknown;
}

/** Source texts by file name, for excerpts. */
export type Sources = ReadonlyMap<string, string>;

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((d) => d.severity === 'error');
}

/** A range of length nought at the start of a file, for findings about the file as a whole. */
export function startOf(file: string): SourceRange {
  const start = { offset: 0, line: 1, column: 1 };
  return { file, start, end: start };
}
