import { isDeepStrictEqual } from 'node:util';
import { Lexer } from 'yaml';
import { CLOUD_CONFIG, type Part } from './part.ts';
import { readYaml } from './read-yaml.ts';

/** A #cloud-config without comments and blank lines; parts of other kinds stay, since they are code. */
export function minify(part: Part): Part {
  if (part.type !== CLOUD_CONFIG) return part;
  const text = withoutComments(part.text);
  // Whatever YAML's grammar still hides: what would change the meaning is not done.
  const isSame = isDeepStrictEqual(readYaml('', text, [])?.value, readYaml('', part.text, [])?.value);
  return isSame ? { ...part, text } : part;
}

/** Marks that the lexer puts between the pieces of a document and before scalars; they are not in the text. */
const MARKS = new Set(['\u0002', '\u0018', '\u001f', '\ufeff']);

/** The lexer gives a text over several lines in one piece: what it calls a comment is one. */
function withoutComments(yaml: string): string {
  const [header = ''] = yaml.split('\n', 1);
  let out = `${header}\n`;
  let line = '';
  for (const piece of new Lexer().lex(yaml)) {
    if (MARKS.has(piece) || piece.startsWith('#')) continue;
    if (piece === '\n' || piece === '\r\n') {
      if (line.trim() !== '') out += `${line.trimEnd()}\n`;
      line = '';
    } else if (piece.endsWith('\n')) {
      out += line + piece;
      line = '';
    } else line += piece;
  }
  return line.trim() === '' ? out : `${out}${line}\n`;
}
