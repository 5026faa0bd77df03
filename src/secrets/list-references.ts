import { describeReference, type ReferenceKind } from './reference.ts';
import { type FoundReference, type Piece, scan } from './scan.ts';

/** A reference that would be read. */
export interface ListedReference {
  readonly kind: ReferenceKind;
  readonly backend: string;
  /** As it was written, without parameters that may be secret; an inner reference stands in it as such. */
  readonly reference: string;
}

/** The references of texts, each once, in the order in which they appear; those inside others come before them. */
export function listReferences(texts: readonly string[], kinds: readonly ReferenceKind[]): ListedReference[] {
  const found = texts.flatMap((text) => scan(text, kinds)).flatMap(withInner);
  const listed = found.map(({ kind, source }) => {
    const text = source.replace(/^(?:secret)?ref\+/, '').replace(/\+$/, '');
    return { kind, backend: text.split('://')[0]?.toLowerCase() ?? '', reference: describeReference(text) };
  });
  return [...new Map(listed.map((entry) => [entry.reference, entry])).values()];
}

function withInner(piece: Piece): FoundReference[] {
  return typeof piece === 'string' ? [] : [...piece.pieces.flatMap(withInner), piece];
}

/** The outermost references of a text, as they stand in it. */
export function listReferenceSources(text: string): string[] {
  return scan(text).flatMap((piece) => (typeof piece === 'string' ? [] : [piece.source]));
}
