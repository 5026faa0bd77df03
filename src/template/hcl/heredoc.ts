import type { FlatPart } from './template-structure.ts';

/**
 * Removes from every line of a `<<-` heredoc the indentation that all of its lines share. Lines of blanks alone
 * have no say (hclsyntax/spec.md, "Heredoc Templates").
 */
export function unindent(parts: readonly FlatPart[]): FlatPart[] {
  const starts = new Set<FlatPart>();
  let shared = Number.POSITIVE_INFINITY;
  let lineStart = true;
  for (const part of parts) {
    if (lineStart) {
      if (part.kind !== 'text') shared = 0;
      else if (part.text.trim() !== '' || !part.text.endsWith('\n')) {
        starts.add(part);
        shared = Math.min(shared, indentation(part.text));
      }
    }
    lineStart = part.kind === 'text' && part.text.endsWith('\n');
  }
  return parts.map((part) =>
    part.kind === 'text' && starts.has(part) ? { ...part, text: part.text.slice(shared) } : part,
  );
}

function indentation(text: string): number {
  return text.length - text.trimStart().length;
}
