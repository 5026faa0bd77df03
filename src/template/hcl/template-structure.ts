import type { SourceRange } from '../../core/diagnostic.ts';
import type { Expression, TemplatePart } from './ast.ts';
import type { TokenStream } from './token-stream.ts';

interface Sequence {
  readonly range: SourceRange;
  /** `~` behind the opening, or before the closing brace: blanks of the text beside it go. */
  readonly trimBefore: boolean;
  readonly trimAfter: boolean;
}

/** Parts of a template in order, directives not yet paired. */
export type FlatPart =
  | { readonly kind: 'text'; readonly text: string; readonly range: SourceRange }
  | (Sequence & { readonly kind: 'interpolation'; readonly expression: Expression })
  | (Sequence & { readonly kind: 'if'; readonly condition: Expression })
  | (Sequence & { readonly kind: 'else' | 'endif' | 'endfor' })
  | (Sequence & {
      readonly kind: 'for';
      readonly keyName: string | undefined;
      readonly valueName: string;
      readonly collection: Expression;
    });

/** Applies strip markers and pairs directives with their ends. */
export function structure(stream: TokenStream, flat: readonly FlatPart[]): TemplatePart[] {
  const cursor = { parts: trim(flat), at: 0 };
  return parseParts(stream, cursor, undefined, []);
}

interface Cursor {
  readonly parts: readonly FlatPart[];
  at: number;
}

/** A strip marker takes the blanks of the piece of text beside it; in a heredoc each line is a piece. */
function trim(flat: readonly FlatPart[]): FlatPart[] {
  return flat.map((part, index) => {
    if (part.kind !== 'text') return part;
    const before = flat[index - 1];
    const after = flat[index + 1];
    let { text } = part;
    if (before && before.kind !== 'text' && before.trimAfter) text = text.trimStart();
    if (after && after.kind !== 'text' && after.trimBefore) text = text.trimEnd();
    return { ...part, text };
  });
}

/** Parts up to one of `ends`, which is left at the cursor. */
function parseParts(
  stream: TokenStream,
  cursor: Cursor,
  opener: FlatPart | undefined,
  ends: readonly FlatPart['kind'][],
): TemplatePart[] {
  const out: TemplatePart[] = [];
  for (; cursor.at < cursor.parts.length; cursor.at++) {
    const part = cursor.parts[cursor.at] as FlatPart;
    if (ends.includes(part.kind)) return out;
    if (part.kind === 'text') {
      if (part.text !== '') out.push(part);
    } else if (part.kind === 'interpolation') {
      out.push({ kind: 'interpolation', expression: part.expression, range: part.range });
    } else if (part.kind === 'if') {
      out.push(stream.nested(() => parseIf(stream, cursor, part)));
    } else if (part.kind === 'for') {
      const body = stream.nested(() => {
        cursor.at++;
        return parseParts(stream, cursor, part, ['endfor']);
      });
      const { keyName, valueName, collection, range } = part;
      out.push({ kind: 'for', keyName, valueName, collection, body, range });
    } else {
      const wanted = opener ? ` before the end of the %{ ${opener.kind} } above it` : '';
      failAt(stream, part, `%{ ${part.kind} } does not belong here${wanted}`);
    }
  }
  if (opener) failAt(stream, opener, `%{ ${opener.kind} } has no %{ end${opener.kind} }`);
  return out;
}

function parseIf(stream: TokenStream, cursor: Cursor, part: FlatPart & { kind: 'if' }): TemplatePart {
  cursor.at++;
  const whenTrue = parseParts(stream, cursor, part, ['else', 'endif']);
  let whenFalse: TemplatePart[] = [];
  if (cursor.parts[cursor.at]?.kind === 'else') {
    cursor.at++;
    whenFalse = parseParts(stream, cursor, part, ['endif']);
  }
  return { kind: 'if', condition: part.condition, whenTrue, whenFalse, range: part.range };
}

function failAt(stream: TokenStream, part: FlatPart, message: string): never {
  return stream.failAt(
    message,
    part.range,
    'Directives are %{ if }, %{ else }, %{ endif }, %{ for } and %{ endfor }.',
  );
}
