import { GoTemplateError } from './ast.ts';

/** A stretch of text, or the inside of `{{ }}`. */
export interface Piece {
  readonly kind: 'text' | 'action';
  readonly text: string;
  /** As written, braces included. */
  readonly source: string;
  readonly line: number;
}

/** What may stand between `{{` and `}}`: strings are skipped as a whole, so that braces in them do not count. */
const ACTION =
  /\{\{(- )?(?:\/\*[^]*?\*\/|((?:"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)*'|(?!-?\}\})[^"`'])*))(?:\s(-)|)\}\}/y;

/** Splits a template at its actions, trim markers applied, comments left out. */
export function split(text: string): Piece[] {
  const pieces: Piece[] = [];
  let line = 1;
  let at = 0;
  let trimNext = false;
  for (;;) {
    const open = text.indexOf('{{', at);
    const end = open === -1 ? text.length : open;
    let plain = text.slice(at, end);
    const source = plain;
    const trimmed = trimNext;
    if (trimmed) plain = plain.replace(/^[ \t\r\n]+/, '');
    if (open === -1) {
      if (plain !== '') pieces.push({ kind: 'text', text: plain, source, line });
      return pieces;
    }
    ACTION.lastIndex = open;
    const match = ACTION.exec(text);
    const startLine = line + count(source);
    if (!match)
      throw new GoTemplateError('"{{" has no "}}", or a string in between is not closed', startLine);
    if (match[1] !== undefined) plain = plain.replace(/[ \t\r\n]+$/, '');
    if (plain !== '') pieces.push({ kind: 'text', text: plain, source, line });
    if (match[2] !== undefined)
      pieces.push({ kind: 'action', text: match[2].trim(), source: match[0], line: startLine });
    trimNext = match[3] !== undefined;
    line = startLine + count(match[0]);
    at = ACTION.lastIndex;
  }
}

function count(text: string): number {
  return text.split('\n').length - 1;
}
