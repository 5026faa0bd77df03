import { stripVTControlCharacters } from 'node:util';

/**
 * A line of a program's output, safe to show: no escape sequence and no control character gets through (they
 * could rewrite what the terminal shows), and of text overwritten with carriage returns the last version stays.
 */
export function cleanLine(line: string): string {
  const shown = line.replace(/\r+$/, '');
  return stripVTControlCharacters(shown.slice(shown.lastIndexOf('\r') + 1))
    .replaceAll('\t', '  ')
    .replace(/\p{Cc}|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '');
}

function columns(character: string): number {
  // The tables of these patterns take milliseconds to make; most runs never ask.
  if (character <= '\u007f') return 1;
  if (/[\p{Mn}\p{Me}\p{Cf}]/u.test(character)) return 0;
  const isWide =
    /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60]/u;
  return isWide.test(character) ? 2 : 1;
}

/** Columns that a text without escape sequences takes. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += columns(character);
  return width;
}

/** At most `width` columns of a text without escape sequences; `…` where something was cut off. */
export function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    used += columns(character);
    if (used > width - 1) break;
    kept += character;
  }
  return width > 0 ? `${kept}…` : '';
}

/** `text` cut or filled to exactly `width` columns. */
export function pad(text: string, width: number): string {
  const short = cut(text, width);
  return short + ' '.repeat(Math.max(0, width - displayWidth(short)));
}
