import type { JsonWriter, Shown } from '../go-json.ts';
import type { GoValue } from '../values.ts';

/** What a report says of a comparison. */
export interface MatcherResult {
  readonly actual: Shown;
  readonly message: string;
  readonly expected: Shown;
  readonly missing?: Shown;
  readonly found?: Shown;
  readonly extra?: Shown;
  /** Transforms that changed the value on the way, outermost first. */
  readonly chain?: readonly JsonWriter[];
  /** The value before them. */
  readonly untransformed?: Shown;
}

/**
 * Compares one value. Its state is that of the last match: `failure` and `negatedFailure` speak about it. Text and
 * order of words are goss's, which other tools read.
 */
export interface Matcher extends JsonWriter {
  /** Throws MatchError where the value can't be compared. */
  match(actual: GoValue): boolean;
  failure(actual: GoValue): MatcherResult;
  negatedFailure(actual: GoValue): MatcherResult;
}

/** A value can't be compared with what is expected, or what is expected makes no sense. */
export class MatchError extends Error {}
