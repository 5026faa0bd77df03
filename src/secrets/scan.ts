import { IngotError } from '../core/error.ts';
import type { ReferenceKind } from './reference.ts';

/** A reference found in a text. */
export interface FoundReference {
  readonly kind: ReferenceKind;
  /** As it stands in the text, with the `+` that may end it. */
  readonly source: string;
  /** What stands behind `ref+`; a reference in there is resolved first, and its value takes its place. */
  readonly pieces: readonly Piece[];
}

/** Text between references, or a reference. */
export type Piece = string | FoundReference;

const PREFIX = /(secret)?ref\+/g;
const PREFIX_HERE = /(secret)?ref\+/y;
/** No backend has such a name at times: then reading the reference fails, and nobody takes it for plain text. */
const SCHEME_HERE = /[^\s+:"',]*:\/\//y;

/** As vals has it. */
const MOST_NESTED = 10;

/**
 * Splits a text at its references. A reference goes up to a blank, a tab, the end of the line, or a `+`, which
 * belongs to it; quotes and commas at its end do not. `kinds` are those to find; the others stay text. The grammar is
 * that of vals (pkg/expansion, DefaultRefRegexp and resolveInnerRefs), with two differences: a reference that
 * is not to be found does not hide those behind it, and a quote or comma followed by `ref+` ends the one before.
 * Throws `secrets/too-deep` for more than ten references inside each other.
 */
export function scan(text: string, kinds: readonly ReferenceKind[] = ['ref', 'secretref']): Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  PREFIX.lastIndex = 0;
  for (let prefix = PREFIX.exec(text); prefix; prefix = PREFIX.exec(text)) {
    const at = prefix.index;
    const after = PREFIX.lastIndex;
    const found = kinds.includes(kindOf(prefix)) ? referenceAt(text, at, kinds, 1) : undefined;
    if (found) {
      if (at > done) pieces.push(text.slice(done, at));
      pieces.push(found.reference);
      done = found.end;
    }
    PREFIX.lastIndex = found?.end ?? after;
  }
  if (done < text.length) pieces.push(text.slice(done));
  return pieces;
}

interface Found {
  readonly reference: FoundReference;
  readonly end: number;
}

/** The reference that begins at `start`, if one does. */
function referenceAt(
  text: string,
  start: number,
  kinds: readonly ReferenceKind[],
  depth: number,
): Found | undefined {
  if (depth > MOST_NESTED) {
    throw new IngotError('secrets/too-deep', `more than ${MOST_NESTED} references stand inside each other`, {
      hint: 'End a reference with + where the next one is not part of it.',
    });
  }
  const prefix = matchAt(PREFIX_HERE, text, start) as RegExpExecArray;
  let lastPrefixEnd = start + prefix[0].length;
  const scheme = matchAt(SCHEME_HERE, text, lastPrefixEnd);
  if (!scheme) return undefined;

  const pieces: Piece[] = [];
  let literalFrom = lastPrefixEnd;
  const body = lastPrefixEnd + scheme[0].length;
  let at = body;
  while (at < text.length && !' \n\r\t+'.includes(text[at] as string)) {
    const inner = matchAt(PREFIX_HERE, text, at);
    if (inner) {
      if (/[",]/.test(text.slice(lastPrefixEnd, at))) break;
      lastPrefixEnd = at + inner[0].length;
      const nested = kinds.includes(kindOf(inner)) ? referenceAt(text, at, kinds, depth + 1) : undefined;
      if (nested) {
        if (at > literalFrom) pieces.push(text.slice(literalFrom, at));
        pieces.push(nested.reference);
        at = nested.end;
        literalFrom = at;
        continue;
      }
      // No reference: letters, and a + that ends this one.
      at = lastPrefixEnd - 1;
      break;
    }
    at++;
  }

  let end = at;
  while (end > Math.max(literalFrom, body) && '",'.includes(text[end - 1] as string)) end--;
  if (end > literalFrom) pieces.push(text.slice(literalFrom, end));
  const isWhole = pieces.some((piece) => typeof piece !== 'string') || end - body >= 2;
  if (!isWhole) return undefined;
  if (end === at && text[at] === '+') end++;
  return { reference: { kind: kindOf(prefix), source: text.slice(start, end), pieces }, end };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function kindOf(prefix: RegExpExecArray): ReferenceKind {
  return prefix[1] === undefined ? 'ref' : 'secretref';
}
